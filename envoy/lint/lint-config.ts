import { type Finding, finding, type PolicySet, printable, type Span } from "../../policies/index.ts";
import { parseTrustDomain } from "../../spiffe/index.ts";
import type { EnvoyVersion } from "../binary/index.ts";
import { PINNED_VERSION } from "../binary/index.ts";
import { WITHHELD_HEADERS } from "../config/header-floor.ts";
import { LINT_RULES, type LintId } from "./catalogue/index.ts";
import { configView } from "./config-view.ts";
import type { Edit } from "./edit.ts";
import type { LintContext, Look, PatchTarget, Place } from "./lint-context.ts";
import { authorizationLooks } from "./rules/authorization.ts";
import { authorizationSettingsLooks } from "./rules/authorization-settings.ts";
import { connectionLooks } from "./rules/connections.ts";
import { filterLooks } from "./rules/filters.ts";
import { headerLooks } from "./rules/headers.ts";
import { identityLooks } from "./rules/identity.ts";
import { logLooks } from "./rules/logs.ts";
import { nativeRuleLooks } from "./rules/native-rules.ts";
import { processLooks } from "./rules/process.ts";
import { requestLooks } from "./rules/request.ts";
import type { ConfigSource } from "./source.ts";
import type { ConfigNode } from "./tree.ts";

const LOOKS: readonly Look[] = [
  ...authorizationLooks,
  ...authorizationSettingsLooks,
  ...requestLooks,
  ...headerLooks,
  ...identityLooks,
  ...nativeRuleLooks,
  ...filterLooks,
  ...connectionLooks,
  ...processLooks,
  ...logLooks,
];

/** A finding about an Envoy configuration. */
export interface EnvoyFinding extends Finding {
  readonly id: LintId;
  /** JSON path of the place. */
  readonly path: string;
  readonly advisories: readonly string[];
  /** Whether `cellwall envoy patch` mends it. */
  readonly fixable: boolean;
}

/** A finding and the changes that mend it. */
export interface Mendable {
  readonly finding: EnvoyFinding;
  readonly edits: readonly Edit[];
}

/** What a configuration is linted for. */
export interface LintOptions {
  /** Version of the Envoy that runs it; a dump says its own. */
  readonly envoyVersion?: EnvoyVersion;
  /** The workload that it is to be a sidecar of: then only Cellwall's own authorization counts. */
  readonly target?: PatchTarget;
}

/** Every hole of an Envoy configuration, in the order of the text. Throws `ERR_ENVOY_CONFIG` where the text is no configuration. */
export function lintConfig(source: ConfigSource, options: LintOptions = {}): readonly EnvoyFinding[] {
  return mendables(source, options).map((one) => one.finding);
}

/** The same with the changes that mend each finding. */
export function mendables(source: ConfigSource, { envoyVersion, target }: LintOptions): readonly Mendable[] {
  const view = configView(source);
  const version = envoyVersion ?? view.version;
  const found: Mendable[] = [];
  const context: LintContext = {
    view,
    version,
    target: target ?? someTarget(version),
    own: target !== undefined,
    report: (id, place) => {
      // What a running Envoy says is no text that could be changed.
      const edits = view.kind === "bootstrap" ? (place.edits ?? []) : [];
      found.push({ finding: findingOf(source, id, { ...place, edits }), edits });
    },
  };
  for (const look of LOOKS) look(context);
  return withoutTwins(found).sort((a, b) => order(a.finding, b.finding));
}

function findingOf(
  source: ConfigSource,
  id: LintId,
  { node, scope, detail, severity, title, why, remedy, edits = [] }: Place,
): EnvoyFinding {
  const rule = LINT_RULES[id];
  const { advisories = [] } = rule;
  const head = title ?? rule.title;
  const what = detail === undefined ? head : `${head}: ${printable(detail)}`;
  const todo = remedy ?? rule.remedy;
  const where = source.form === "json" ? ` (${node.path})` : "";
  const known = advisories.length === 0 ? "" : ` (${advisories.join(", ")})`;
  const base = finding({
    id,
    severity: severity ?? rule.severity,
    span: placeOf(source, node),
    message: `${printable(scope)}: ${what}${where}`,
    reason: `${why ?? rule.why}${known}`,
    remedy: edits.length === 0 ? todo : `${todo}; \`cellwall envoy patch\` does it`,
    about: [scope, detail ?? "", node.path.replace(/\[\d+\]/g, "[]")],
  });
  return { ...base, id, path: node.path, advisories, fixable: edits.length > 0 };
}

/** Of a block, its first key: what is said is about all of it, or about what is not there. */
function placeOf(source: ConfigSource, node: ConfigNode): Span {
  const first = node.kind === "map" && !node.flow ? node.entries[0] : undefined;
  return first === undefined ? source.span(node.start, node.end) : source.span(first.keyStart, first.keyEnd);
}

/** An anchor that is used twice, or a listener's own part that each of its filter chains meets, is one finding. */
function withoutTwins(found: readonly Mendable[]): Mendable[] {
  const seen = new Set<string>();
  return found.filter(({ finding: { id, path, message } }) => {
    const key = `${id}\0${path}\0${message}`;
    return !seen.has(key) && seen.add(key);
  });
}

function order(a: EnvoyFinding, b: EnvoyFinding): number {
  return (
    (a.span?.line ?? 0) - (b.span?.line ?? 0) ||
    (a.span?.column ?? 0) - (b.span?.column ?? 0) ||
    a.id.localeCompare(b.id)
  );
}

/** Where nobody says what for, changes are worked out for a workload that stands for any, to know which findings can be mended. */
function someTarget(version: EnvoyVersion | undefined): PatchTarget {
  const mesh: PolicySet["mesh"] = {
    trustDomain: parseTrustDomain("example.org"),
    defaultMode: "monitor",
    isolate: [],
    unregistered: "deny",
    federated: [],
    jwtProviders: new Map(),
  };
  return {
    workload: "example/workload",
    mesh,
    sockets: { authz: "/run/cellwall/authz.sock", envoy: "/run/cellwall/envoy.sock" },
    envoyVersion: version ?? PINNED_VERSION,
    mtls: false,
    keepOverrideHeaders: [],
    withheld: WITHHELD_HEADERS,
  };
}
