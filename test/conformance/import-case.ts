import type { WitnessRequest } from "../../policies/findings/finding.ts";
import { attributesOf } from "../../policies/findings/index.ts";
import { type Attributes, compile, decide, parseDocuments, resolve } from "../../policies/index.ts";
import {
  type ImportOptions,
  type ImportResult,
  importPolicies,
  type RequestScope,
} from "../../policies/interop/index.ts";

const NOW = new Date("2026-11-24T12:00:00Z");

/** One request against one import. */
export interface ImportCase {
  readonly id: string;
  readonly format: string;
  readonly documents: readonly unknown[];
  readonly options: ImportOptions;
  readonly request: WitnessRequest;
  /** Scopes of the report that the request is in. */
  readonly scopes: readonly RequestScope[];
  readonly expected: "allow" | "deny";
  /** Entries that say nothing about this case, e.g. of another destination, are left out. */
  readonly concerns?: (construct: string) => boolean;
}

/** What a case came to. */
export interface Judged {
  readonly id: string;
  readonly claim: "exact" | "narrower" | "wider" | "unsupported";
  readonly expected: "allow" | "deny";
  readonly got: "allow" | "deny";
  /** What the candidates would decide; the verdict itself where there are none. */
  readonly rehearsed: "allow" | "deny";
  readonly reason: string;
  readonly documents: string;
}

/** Imports, decides, and tells what the report claims about the request. */
export function judge(one: ImportCase): Judged {
  const imported = importPolicies(
    one.format,
    one.documents.map((document, at) => ({ path: `${at}.json`, text: JSON.stringify(document) })),
    one.options,
  );
  const parsed = parseDocuments([{ path: "imported.yaml", text: imported.documents }]);
  const set = resolve(parsed.documents, { diagnostics: parsed.diagnostics });
  const errors = set.diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new Error(`${one.id}: ${JSON.stringify(errors)}\n${imported.documents}`);
  const attributes: Attributes = attributesOf(one.request, set, { now: NOW });
  const decision = decide(compile(set), attributes);
  return {
    id: one.id,
    claim: claimOf(imported, one),
    expected: one.expected,
    got: decision.verdict,
    rehearsed: decision.candidate?.verdict ?? decision.verdict,
    reason: decision.reason,
    documents: imported.documents,
  };
}

function claimOf({ report }: ImportResult, { scopes, concerns = () => true }: ImportCase): Judged["claim"] {
  const claims = report.entries
    .filter(({ scope, construct }) => (scope === undefined || scopes.includes(scope)) && concerns(construct))
    .map(({ fidelity }) => fidelity);
  return (["unsupported", "wider", "narrower"] as const).find((claim) => claims.includes(claim)) ?? "exact";
}

/** The rules that every import holds: exact is equal, narrower only denies more, wider only allows more. */
export function isHonest({ claim, expected, got }: Judged): boolean {
  if (claim === "exact") return expected === got;
  return claim === "wider" || expected === got || got === "deny";
}

/** The table of a format, one line a claim. */
export function table(format: string, judged: readonly Judged[]): string {
  const lines = (["exact", "narrower", "wider", "unsupported"] as const).map((claim) => {
    const of = judged.filter((one) => one.claim === claim);
    const same = of.filter(({ expected, got }) => expected === got).length;
    return `${format.padEnd(24)} ${claim.padEnd(12)} ${String(of.length).padStart(4)}  same verdict ${same}`;
  });
  return [...lines, `${format.padEnd(24)} exact share  ${(exactShare(judged) * 100).toFixed(1)} %`].join("\n");
}

/** Part of the cases that the report calls exact. */
export function exactShare(judged: readonly Judged[]): number {
  return judged.filter(({ claim }) => claim === "exact").length / judged.length;
}
