import type { Counting } from "./counters.ts";
import type { Hierarchy } from "./hierarchy.ts";
import type { Unrecorded } from "./issuance.ts";
import { appendToLedger, type LedgerNote } from "./ledger.ts";
import { errorOf, type Refusal, refusalNote } from "./refusal.ts";
import type { Grounds } from "./standing.ts";
import type { CaTransaction } from "./tables.ts";

/** What issuing stands on; `grounds` are those of the moment. */
export interface IssuingParts {
  readonly hierarchy: Hierarchy;
  readonly grounds: () => Grounds;
  readonly counters: Counting;
  /** Requests that write nothing themselves share transactions. */
  readonly group: Settling;
}

/** Settles requests, several of them at once where they come at once. */
export interface Settling {
  /** INVARIANT: as of `settle`; the work only reads. */
  settle<T>(work: Work<T>): Promise<readonly Unrecorded<T>[]>;
}

/** What a transaction came to: credentials whose ledger entries are committed with it, or refusals that are. */
export type Outcome<T> =
  | { readonly kind: "issued"; readonly issued: readonly Unrecorded<T>[] }
  | { readonly kind: "refused"; readonly refusals: readonly Refusal[]; readonly record: boolean };

/** Refusals that go into the ledger. */
export function refused(...refusals: readonly Refusal[]): Outcome<never> {
  return { kind: "refused", refusals, record: true };
}

/** Work that decides on one request; what it writes itself is taken back with the rest where it throws. */
export type Work<T> = (trx: CaTransaction) => Promise<Outcome<T>>;

/**
 * Runs one request in a transaction of its own that also writes the ledger.
 *
 * INVARIANT: certificates and refusals leave this function only once their ledger entries are on the disk; whatever
 * throws on the way takes everything back, the use of a join token included.
 */
export async function settle<T>(parts: IssuingParts, work: Work<T>): Promise<readonly Unrecorded<T>[]> {
  const { context } = parts.grounds();
  const outcome = await context.db.transaction().execute(async (trx) => {
    const result = await work(trx);
    if (result.kind === "issued") context.reached("signed");
    await appendToLedger(trx, context.clock(), notesOf(result));
    return result;
  });
  if (outcome.kind === "issued") context.reached("recorded");
  return conclude(parts.counters, outcome);
}

/** What the ledger says of an outcome. */
export function notesOf(outcome: Outcome<unknown>): readonly LedgerNote[] {
  if (outcome.kind === "issued") return outcome.issued.map((one) => one.note);
  return outcome.record ? outcome.refusals.map(refusalNote) : [];
}

/** What the asker gets once the ledger has it; throws the first refusal. */
export function conclude<T>(counters: Counting, outcome: Outcome<T>): readonly Unrecorded<T>[] {
  if (outcome.kind === "issued") {
    counters.add("issued", outcome.issued.length);
    return outcome.issued;
  }
  counters.add("refused", outcome.refusals.length);
  const [first, ...rest] = outcome.refusals;
  if (first === undefined) throw new Error("a refusal without a reason");
  if (first.code === "ERR_CA_JOIN_TOKEN_USED") counters.add("joinTokenReplays");
  const more = rest.length === 0 ? "" : ` (and ${rest.length} more)`;
  throw errorOf({ ...first, reason: `${first.reason}${more}` });
}
