import type { Span } from "../model/index.ts";
import type { Finding } from "./finding.ts";
import { withUniqueFingerprints } from "./fingerprint.ts";
import type { SuppressedFinding } from "./suppression.ts";
import { witnessText } from "./witness-text.ts";

/** What is said of a kind of finding beside what each finding says itself. */
export interface FindingRule {
  readonly summary: string;
  readonly help: string;
}

/** Options of `toSarif`. */
export interface SarifOptions {
  /** Version of the tool. */
  readonly version: string;
  readonly suppressed?: readonly SuppressedFinding[];
  /** By finding id; of an id that is not in here, reason and remedy of its first finding are the help. */
  readonly rules?: ReadonlyMap<string, FindingRule>;
  /** Where findings are documented, each under `#<id>`. */
  readonly helpUri?: string;
}

const SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json";

/**
 * A SARIF 2.1.0 log of one run (OASIS SARIF 2.1.0): one rule an id, one result a finding. `partialFingerprints` are the
 * findings' own and stay when lines move; what a comment silences is in it as suppressed in source.
 */
export function toSarif(findings: readonly Finding[], options: SarifOptions): Readonly<Record<string, unknown>> {
  const { version, suppressed = [] } = options;
  const all = withUniqueFingerprints([...findings, ...suppressed]);
  const ids = [...new Set(all.map(({ id }) => id))].sort();
  const results = all.map((one) => resultOf(one, ids.indexOf(one.id), suppressedBecause(one)));
  return {
    $schema: SCHEMA,
    version: "2.1.0",
    runs: [
      {
        tool: {
          driver: { name: "cellwall", semanticVersion: version, rules: ids.map((id) => ruleOf(id, all, options)) },
        },
        columnKind: "utf16CodeUnits",
        originalUriBaseIds: { SRCROOT: { description: { text: "the folder that the tool was called in" } } },
        results,
      },
    ],
  };
}

function suppressedBecause(one: Finding | SuppressedFinding): string | undefined {
  return "suppressedBecause" in one ? one.suppressedBecause : undefined;
}

function ruleOf(id: string, all: readonly Finding[], { rules, helpUri }: SarifOptions): unknown {
  const first = all.find((one) => one.id === id);
  const rule = rules?.get(id);
  const words = id.replaceAll("-", " ");
  const help = rule?.help ?? [first?.reason, first?.remedy].filter((text) => text !== undefined).join("; ");
  return {
    id,
    name: id.replace(/(?:^|-)([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
    shortDescription: { text: rule?.summary ?? words },
    fullDescription: { text: rule?.summary ?? first?.reason ?? words },
    help: { text: help === "" ? words : help },
    ...(helpUri === undefined ? {} : { helpUri: `${helpUri}#${id}` }),
    defaultConfiguration: { level: first?.severity ?? "warning" },
  };
}

function resultOf(one: Finding, ruleIndex: number, because: string | undefined): unknown {
  const { id, severity, span, related = [], fingerprint } = one;
  return {
    ruleId: id,
    ruleIndex,
    level: severity,
    message: { text: messageOf(one) },
    ...(span === undefined ? {} : { locations: [{ physicalLocation: placeOf(span) }] }),
    ...(related.length === 0
      ? {}
      : {
          relatedLocations: related.map(({ span: at, message }, index) => ({
            id: index,
            physicalLocation: placeOf(at),
            message: { text: message },
          })),
        }),
    partialFingerprints: { "cellwall/v1": fingerprint },
    ...(because === undefined ? {} : { suppressions: [{ kind: "inSource", justification: because }] }),
  };
}

function messageOf({ message, reason, witness, remedy }: Finding): string {
  const parts = [
    message,
    reason,
    ...(witness === undefined ? [] : [`witness: ${witnessText(witness)}`]),
    ...(remedy === undefined ? [] : [`remedy: ${remedy}`]),
  ];
  return parts.join(". ");
}

function placeOf(span: Span): unknown {
  const { line, column, endLine, endColumn } = span;
  return {
    artifactLocation: locationOf(span.file),
    region: { startLine: line, startColumn: column, endLine, endColumn },
  };
}

/** A relative path is one below the folder that the tool was called in, an absolute one a `file:` URI. */
function locationOf(file: string): unknown {
  const path = file.replaceAll("\\", "/").replace(/^(?:\.\/)+/, "");
  const uri = path
    .split("/")
    .map((segment) => encodeURIComponent(segment))
    .join("/");
  return path.startsWith("/") ? { uri: `file://${uri}` } : { uri, uriBaseId: "SRCROOT" };
}
