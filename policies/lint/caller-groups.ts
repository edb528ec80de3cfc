import type { Rule } from "../model/index.ts";
import type { Side } from "../space/side.ts";
import type { View } from "./line-at.ts";
import type { MetCallers } from "./met-callers.ts";

interface Groups {
  readonly rules: readonly Rule[];
  /** Of each group of callers the first one's place. */
  readonly first: ReadonlySet<number>;
}

/** Callers that no rule of a view tells apart, so that a question need only be asked of one of each group. */
export class CallerGroups {
  readonly #met: MetCallers;
  readonly #side: Side;
  readonly #groups = new WeakMap<View, Groups>();

  constructor(met: MetCallers, side: Side) {
    this.#met = met;
    this.#side = side;
  }

  /** The first caller of each group, where the rules tell no more callers apart than those of the view do. */
  firstOf(view: View, rules: readonly Rule[]): ReadonlySet<number> | undefined {
    const groups = this.#groups.get(view) ?? this.#group(view);
    this.#groups.set(view, groups);
    const isKnown = ({ from, except }: Rule): boolean =>
      groups.rules.some((known) => known.from === from && known.except === except);
    return rules.every(isKnown) ? groups.first : undefined;
  }

  #group(view: View): Groups {
    const owners = new Map([...view.allows, ...view.denies].map(({ rule, policy }) => [rule, policy]));
    const { callers } = this.#met;
    const labels = callers.map(({ caller }) => this.#side.apart(caller, view.destination).join());
    for (const [number, [rule, policy]] of [...owners].entries())
      for (const [at, { key }] of this.#met.of(rule, policy)) labels[at] += ` ${number}:${key}`;
    const first = new Map<string, number>();
    for (const [at, label] of labels.entries()) if (!first.has(label)) first.set(label, at);
    return { rules: [...owners.keys()], first: new Set(first.values()) };
  }
}
