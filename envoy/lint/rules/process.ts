import { checkSecurityFloor } from "../../binary/index.ts";
import { overloadManager } from "../../config/limits.ts";
import { set } from "../edit.ts";
import type { LintContext, Look } from "../lint-context.ts";
import { isLocal } from "../listener-view.ts";
import { at, type ConfigNode, entries, flag, items, number, text } from "../tree.ts";

/** The process itself: its version, its guards, its admin interface. */
export const processLooks: readonly Look[] = [version, guards, admin, limits, ports, unseen];

const SCOPE = "this Envoy";

function version(context: LintContext): void {
  if (context.version === undefined) return;
  const verdict = checkSecurityFloor(context.version);
  const node = at(context.view.bootstrap, "node") ?? context.view.bootstrap ?? context.view.listeners[0]?.node;
  if (!verdict.ok && node !== undefined)
    context.report("envoy-version", { node, scope: SCOPE, detail: verdict.reason });
}

/** Security fixes that a runtime key switches off, without `envoy.reloadable_features.`. */
const GUARDS: ReadonlySet<string> = new Set([
  "rbac_match_headers_individually",
  "match_headers_individually",
  "strip_path_parameters_per_segment",
  "rbac_respect_ignore_path_parameters",
  "service_sanitize_non_utf8_strings",
  "http_reject_path_with_fragment",
  "sanitize_original_path",
]);
const FEATURES = "envoy.reloadable_features.";

function guards(context: LintContext): void {
  for (const layer of items(at(context.view.bootstrap, "layered_runtime", "layers"))) {
    const fixed = at(layer, "static_layer");
    for (const { key, holder, name, value } of runtimeKeys(fixed, "")) {
      const off = flag(value) === false || number(value) === 0;
      if (!name.startsWith(FEATURES) || !GUARDS.has(name.slice(FEATURES.length)) || !off) continue;
      context.report("runtime-guard-off", {
        node: value,
        scope: SCOPE,
        detail: `\`${name}\``,
        edits: set(holder, [key], true),
      });
    }
  }
}

interface RuntimeKey {
  readonly holder: ConfigNode;
  readonly key: string;
  readonly name: string;
  readonly value: ConfigNode;
}

/** Keys may be written with dots or as nested mappings. */
function runtimeKeys(node: ConfigNode | undefined, before: string): readonly RuntimeKey[] {
  if (node === undefined) return [];
  return entries(node).flatMap(({ key, value }) => {
    const name = `${before}${key}`;
    return value.kind === "map" ? runtimeKeys(value, `${name}.`) : [{ holder: node, key, name, value }];
  });
}

/** Owner only. In YAML, Envoy takes `0600` as octal. */
const OWNER_ONLY: ReadonlySet<number> = new Set([0o600, 600, 0o700, 700, 0o400, 400]);

function admin(context: LintContext): void {
  const node = at(context.view.bootstrap, "admin");
  const address = at(node, "address");
  if (node === undefined || address === undefined) return;
  const pipe = at(address, "pipe");
  if (pipe === undefined) {
    context.report(isLocal(address) ? "admin-on-tcp" : "admin-exposed", { node: address, scope: SCOPE });
    return;
  }
  if (text(at(pipe, "path"))?.startsWith("@") !== true && OWNER_ONLY.has(number(at(pipe, "mode")) ?? -1)) return;
  context.report("admin-socket-open", { node: pipe, scope: SCOPE, edits: set(pipe, ["mode"], 0o600) });
}

function limits({ view, report }: LintContext): void {
  if (view.bootstrap === undefined || at(view.bootstrap, "overload_manager") !== undefined) return;
  report("no-overload-limit", {
    node: view.bootstrap,
    scope: SCOPE,
    edits: set(view.bootstrap, ["overload_manager"], overloadManager()),
  });
}

function ports({ view, report }: LintContext): void {
  for (const { node, name, port, chains } of view.listeners) {
    const reusable = flag(at(node, "enable_reuse_port")) !== false && flag(at(node, "reuse_port")) !== false;
    if (
      port === undefined ||
      !reusable ||
      at(node, "udp_listener_config") !== undefined ||
      chains.every(({ direction }) => direction === "egress")
    )
      continue;
    report("port-reusable", { node, scope: `listener \`${name}\``, edits: set(node, ["enable_reuse_port"], false) });
  }
}

/** A patch reaches the text alone. */
function unseen(context: LintContext): void {
  const graver = context.own ? ({ severity: "warning" } as const) : {};
  const { view } = context;
  for (const { node, what } of view.unseen) {
    const file = text(at(node, "path_config_source", "path")) ?? text(at(node, "path"));
    const remedy = file === undefined ? {} : { remedy: `look at that file as well: \`cellwall envoy lint ${file}\`` };
    const severity = what === "listeners" ? graver : {};
    context.report("unseen-resources", { node, scope: SCOPE, detail: what, ...severity, ...remedy });
  }
  for (const { name, chains } of view.listeners) {
    for (const { http } of chains) {
      const from = http?.routes === undefined ? (at(http?.node, "rds") ?? at(http?.node, "scoped_routes")) : undefined;
      if (from !== undefined)
        context.report("unseen-resources", { node: from, scope: `listener \`${name}\``, detail: "routes", ...graver });
    }
  }
}
