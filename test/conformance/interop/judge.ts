import type { Attributes, Decision, Index, PolicySet } from "../../../policies/index.ts";
import { compile, decide, parseDocuments, referenceDecide, resolve } from "../../../policies/index.ts";
import type { ImportReport, ReportEntry, RequestScope } from "../../../policies/interop/index.ts";

// How the verdicts of an import are held against those recorded of the source.

/** What became of one case. */
export type Outcome =
  /** The report calls everything that bears on it exact, and the verdict is the recorded one. */
  | "exact"
  /** It denies what the source allows, and the report says so. */
  | "narrower"
  /** The report does not call it exact, yet the verdict is the recorded one. */
  | "same"
  /** It allows what the source denies, and the report says so. */
  | "wider"
  | "wrong";

/** Reasons of denials that come before any policy: of requests no policy here ever sees. */
const FLOOR: ReadonlySet<string> = new Set([
  "ambiguous-path",
  "ambiguous-host",
  "malformed-identity",
  "untrusted-domain",
]);

/** The set of an import's documents; throws with the diagnostics where it has errors. */
export function setOf(documents: string): PolicySet {
  const parsed = parseDocuments([{ path: "imported.yaml", text: documents }]);
  const set = resolve(parsed.documents, { diagnostics: parsed.diagnostics });
  const errors = set.diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length > 0)
    throw new Error(
      `${errors.map(({ span, message, code }) => `${span.line}: ${message} [${code}]`).join("\n")}\n${documents}`,
    );
  return set;
}

const indexes = new WeakMap<PolicySet, Index>();

/** The verdict, with its proof that fast and reference evaluation agree. */
export function verdictOf(set: PolicySet, attributes: Attributes): Decision {
  const index = indexes.get(set) ?? compile(set);
  indexes.set(set, index);
  const decision = decide(index, attributes);
  const reference = referenceDecide(set, attributes);
  if (reference.verdict !== decision.verdict) throw new Error("decide and referenceDecide differ");
  return decision;
}

/** Compares one case. `inScope` says which scopes the request is in. */
export function judge(
  decision: Decision,
  expected: "allow" | "deny",
  report: ImportReport,
  inScope: (scope: RequestScope, subject?: string) => boolean,
): Outcome {
  const bearing = report.entries.filter(
    (entry: ReportEntry) => entry.scope === undefined || inScope(entry.scope, entry.subject),
  );
  const open = bearing.filter(({ fidelity }) => fidelity !== "exact");
  const same = decision.verdict === expected;
  if (FLOOR.has(decision.reason) && !same) return "narrower";
  if (open.length === 0) return same ? "exact" : "wrong";
  if (same) return "same";
  if (decision.verdict === "deny") return "narrower";
  return open.some(({ fidelity }) => fidelity === "wider") ? "wider" : "wrong";
}

/** Counts outcomes, and says them as a line of a table. */
export class Tally {
  readonly #counts = new Map<Outcome, number>();

  add(outcome: Outcome): void {
    this.#counts.set(outcome, this.count(outcome) + 1);
  }

  count(outcome: Outcome): number {
    return this.#counts.get(outcome) ?? 0;
  }

  get cases(): number {
    return [...this.#counts.values()].reduce((sum, count) => sum + count, 0);
  }

  /** Part of the cases that are exact, from 0 to 1. */
  get exactShare(): number {
    return this.cases === 0 ? 1 : this.count("exact") / this.cases;
  }

  row(name: string): string {
    const counts = (["exact", "same", "narrower", "wider", "wrong"] as const).map((one) =>
      String(this.count(one)).padStart(8),
    );
    return `${name.padEnd(28)}${String(this.cases).padStart(7)}${counts.join("")}${`${(100 * this.exactShare).toFixed(1)} %`.padStart(10)}`;
  }
}

/** The head of the table. */
export const TABLE_HEAD = `${"".padEnd(28)}${["cases", "exact", "same", "narrower", "wider", "wrong"].map((one, index) => one.padStart(index === 0 ? 7 : 8)).join("")}${"exact".padStart(10)}`;
