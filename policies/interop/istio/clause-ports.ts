import type { ClauseContext } from "./clause-context.ts";
import type { Clause } from "./policy.ts";

/** The ports of a clause: those it names, absent for any, and those to be denied; `never` where it names none. */
export function portsOf(
  { ports: fields }: Clause,
  { effect, ports: known, say }: ClauseContext,
): "never" | { readonly only: readonly number[] | undefined; readonly not: readonly (readonly number[])[] } {
  const positive = fields.filter(({ negated }) => !negated).map(({ values }) => values.map(Number));
  const negative = fields.filter(({ negated }) => negated).flatMap(({ values }) => values.map(Number));
  const [first, ...more] = positive;
  const base =
    first?.filter((port) => more.every((other) => other.includes(port))) ?? (negative.length > 0 ? known : undefined);
  const only = base === undefined ? undefined : [...new Set(base)].filter((port) => !negative.includes(port));
  if (only !== undefined)
    return only.filter((port) => port > 0).length === 0 ? "never" : { only: only.filter((port) => port > 0), not: [] };
  if (negative.length === 0) return { only: undefined, not: [] };
  if (effect === "allow") return { only: undefined, not: [negative] };
  for (const field of fields)
    say(field)("narrower", "which other ports there are is not known; the deny holds for every port");
  return { only: undefined, not: [] };
}
