import type { WitnessRequest } from "../../../policies/findings/finding.ts";
import { attributesOf } from "../../../policies/findings/index.ts";
import { compile, type Decision, decide, parseDocuments, resolve } from "../../../policies/index.ts";
import { type ImportOptions, importPolicies, type ReportEntry } from "../../../policies/interop/index.ts";

export type Verdict = "allow" | "deny";

/** One set of a peer's policies. */
export interface PeerSet {
  readonly format: string;
  readonly documents: readonly unknown[];
  readonly options: ImportOptions;
}

/** A request, and what the model of the peer makes of it. */
export interface PeerRequest {
  readonly request: WitnessRequest;
  readonly expected: Verdict;
  /** Whether an entry of the report with a scope speaks of this request. */
  readonly isInScope: (entry: ReportEntry) => boolean;
}

/** What a request came to. */
export interface Held {
  readonly claim: "exact" | "narrower" | "wider" | "unsupported";
  readonly got: Verdict;
  readonly reason: string;
  /** What the import breaks its word in; absent where it keeps it. */
  readonly broken?: string;
}

/** Reasons of denials that come before any policy: of requests that no policy here ever sees. */
const FLOOR: ReadonlySet<string> = new Set(["unregistered-identity", "untrusted-domain", "ambiguous-path"]);

const NOW = new Date("2026-11-24T12:00:00Z");

/** Imports a set once and decides requests about it: exact is equal, narrower only denies more, wider shows a request. */
export function holdImport({ format, documents, options }: PeerSet, requests: readonly PeerRequest[]): readonly Held[] {
  const imported = importPolicies(format, [{ path: "set.json", text: documents.map(textOf).join("\n---\n") }], options);
  const parsed = parseDocuments([{ path: "imported.yaml", text: imported.documents }]);
  const set = resolve(parsed.documents, { diagnostics: parsed.diagnostics });
  const errors = set.diagnostics.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new Error(`${JSON.stringify(errors)}\n${imported.documents}`);
  const index = compile(set);
  const decided = (request: WitnessRequest): Decision => decide(index, attributesOf(request, set, { now: NOW }));
  const shown = imported.report.entries
    .filter(({ fidelity }) => fidelity === "wider")
    .find(({ counterExample }) => counterExample === undefined || decided(counterExample).verdict !== "allow");
  return requests.map(({ request, expected, isInScope }) => {
    const bearing = imported.report.entries.filter((entry) => entry.scope === undefined || isInScope(entry));
    const claim = claimOf(bearing);
    const { verdict: got, reason } = decided(request);
    const kept = got === expected || FLOOR.has(reason) || (claim !== "exact" && (got === "deny" || claim === "wider"));
    const broken = shown === undefined ? undefined : `wider without a request that shows it: ${JSON.stringify(shown)}`;
    return {
      claim,
      got,
      reason,
      ...(kept ? (broken === undefined ? {} : { broken }) : { broken: imported.documents }),
    };
  });
}

const textOf = (document: unknown): string => JSON.stringify(document);

/** The strongest departure of all entries; `wider` above all, as it alone may allow more. */
function claimOf(entries: readonly ReportEntry[]): Held["claim"] {
  const of = new Set(entries.map(({ fidelity }) => fidelity));
  return (["wider", "unsupported", "narrower"] as const).find((claim) => of.has(claim)) ?? "exact";
}

/** A random set, and requests about it. */
export interface PeerCase {
  readonly set: PeerSet;
  readonly requests: readonly PeerRequest[];
}

/** Holds many sets; tells how often what was claimed, and the first word that was broken. */
export function holdMany(
  count: number,
  makeCase: () => PeerCase,
): { readonly claims: Readonly<Record<string, number>>; readonly broken: unknown } {
  const claims: Record<string, number> = {};
  for (let at = 0; at < count; at++) {
    const { set, requests } = makeCase();
    const held = holdImport(set, requests);
    for (const { claim } of held) claims[claim] = (claims[claim] ?? 0) + 1;
    const index = held.findIndex(({ broken }) => broken !== undefined);
    if (index === -1) continue;
    const { request, expected } = requests[index] ?? {};
    return { claims, broken: { at, ...held[index], request, expected, documents: set.documents.map(textOf) } };
  }
  return { claims, broken: undefined };
}
