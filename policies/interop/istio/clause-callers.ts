import { blocksOutside, blockWithin } from "../draft/address-blocks.ts";
import type { DraftCaller } from "../draft/draft.ts";
import { addressesOf } from "./addresses.ts";
import { callersOf } from "./callers.ts";
import { type ClauseContext, fieldSay } from "./clause-context.ts";
import type { Clause } from "./policy.ts";

/** Who a clause speaks of, and who is carved out of them where `carveOut` lets that be. */
export function whoOf(
  clause: Clause,
  carveOut: boolean,
  context: ClauseContext,
): { readonly from: readonly DraftCaller[] | undefined; readonly except: readonly DraftCaller[] } {
  const { world, effect } = context;
  const callers = callersOf(clause.identities, effect, carveOut, world, fieldSay(clause.identities, context));
  const { only, not } = addressesOf(clause.addresses);
  const positive = only ?? (carveOut || not.length === 0 ? undefined : blocksOutside(not));
  const inside = only !== undefined && not.length > 0 && !carveOut ? intersect(only, blocksOutside(not)) : positive;
  const everyone = clause.identities.length === 0;
  const from =
    inside === undefined
      ? callers.from
      : everyone
        ? [{ addresses: inside }]
        : (callers.from ?? [{}]).map((caller) => ({ ...caller, addresses: inside }));
  const except = carveOut && not.length > 0 ? [...callers.except, { addresses: not }] : callers.except;
  return { from: inside?.length === 0 ? [] : from, except };
}

function intersect(a: readonly string[], b: readonly string[]): readonly string[] {
  return a.flatMap((one) =>
    b.flatMap((other) => (blockWithin(one, other) ? [one] : blockWithin(other, one) ? [other] : [])),
  );
}
