import { addressBlock, blockWithin } from "../draft/address-blocks.ts";
import type { Field } from "./policy.ts";

/** The address blocks of a clause: those the peer must be in, absent for any, and those it must not be in. */
export function addressesOf(fields: readonly Field[]): {
  readonly only: readonly string[] | undefined;
  readonly not: readonly string[];
} {
  const blocks = ({ values }: Field): readonly string[] => values.flatMap((value) => addressBlock(value) ?? []);
  const positive = fields.filter(({ negated }) => !negated).map(blocks);
  const only = positive.reduce<readonly string[] | undefined>(
    (both, list) => (both === undefined ? list : meet(both, list)),
    undefined,
  );
  return { only, not: fields.filter(({ negated }) => negated).flatMap(blocks) };
}

function meet(a: readonly string[], b: readonly string[]): readonly string[] {
  return a.flatMap((one) =>
    b.flatMap((other) => {
      if (blockWithin(one, other)) return [one];
      return blockWithin(other, one) ? [other] : [];
    }),
  );
}
