import type { Counting } from "./counters.ts";
import type { Hierarchy } from "./hierarchy.ts";
import type { Unrecorded } from "./issuance.ts";
import { appendToLedger } from "./ledger.ts";
import { errorOf, type Refusal, recordRefusals } from "./refusal.ts";
import type { Grounds } from "./standing.ts";
import type { CaTransaction } from "./tables.ts";

/** What issuing stands on; `grounds` are those of the moment. */
export interface IssuingParts {
  readonly hierarchy: Hierarchy;
  readonly grounds: () => Grounds;
  readonly counters: Counting;
}

/** What a transaction came to: credentials whose ledger entries are committed with it, or refusals that are. */
export type Outcome<T> =
  | { readonly kind: "issued"; readonly issued: readonly Unrecorded<T>[] }
  | { readonly kind: "refused"; readonly refusals: readonly Refusal[]; readonly record: boolean };

/** Refusals that go into the ledger. */
export function refused(...refusals: readonly Refusal[]): Outcome<never> {
  return { kind: "refused", refusals, record: true };
}

/**
 * Runs one request in a transaction that also writes the ledger.
 *
 * INVARIANT: certificates and refusals leave this function only once their ledger entries are on the disk; whatever
 * throws on the way takes everything back, the use of a join token included.
 */
export async function settle<T>(
  parts: IssuingParts,
  work: (trx: CaTransaction) => Promise<Outcome<T>>,
): Promise<readonly Unrecorded<T>[]> {
  const { context } = parts.grounds();
  const outcome = await context.db.transaction().execute(async (trx) => {
    const result = await work(trx);
    if (result.kind === "issued") context.reached("signed");
    if (result.kind === "issued")
      await appendToLedger(
        trx,
        context.clock(),
        result.issued.map((one) => one.note),
      );
    else if (result.record) await recordRefusals(trx, context.clock(), result.refusals);
    return result;
  });
  if (outcome.kind === "issued") context.reached("recorded");
  return conclude(parts, outcome);
}

function conclude<T>(parts: IssuingParts, outcome: Outcome<T>): readonly Unrecorded<T>[] {
  if (outcome.kind === "issued") {
    parts.counters.add("issued", outcome.issued.length);
    return outcome.issued;
  }
  parts.counters.add("refused", outcome.refusals.length);
  const [first, ...rest] = outcome.refusals;
  if (first === undefined) throw new Error("a refusal without a reason");
  if (first.code === "ERR_CA_JOIN_TOKEN_USED") parts.counters.add("joinTokenReplays");
  const more = rest.length === 0 ? "" : ` (and ${rest.length} more)`;
  throw errorOf({ ...first, reason: `${first.reason}${more}` });
}
