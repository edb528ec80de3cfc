import { type Alphabet, TEXT_ALPHABET } from "./characters.ts";
import { type Cell, type Condition, TRUE, type Truth4 } from "./dimension.ts";
import { profilesOf } from "./profiles.ts";
import { EVERY_TEXT, type TextMachine } from "./text-machine.ts";

/** A condition on a list of values: that some value passes, or that every one does (of at least one). */
export interface ListSpec {
  readonly over: "some" | "every";
  /** The values that pass. */
  readonly machine: TextMachine;
}

/** A list of at least one value, and what each condition says of it. */
export interface ValueList {
  readonly values: readonly string[];
  readonly truths: readonly boolean[];
}

/** How many kinds of lists are told apart at most. */
const MAX_LISTS = 4_096;

export interface ListOptions {
  readonly alphabet?: Alphabet;
  readonly valid?: TextMachine;
  /** Further values, each with what the conditions say of it. */
  readonly more?: readonly ValueList[];
}

/**
 * One list of every kind that conditions tell apart: first of single values, then of what they make together. What is
 * true of some value stays true as the list grows, what is true of every one may cease.
 */
export function valueLists(
  specs: readonly ListSpec[],
  options: ListOptions = {},
): { readonly lists: readonly ValueList[]; readonly exact: boolean } {
  const machines = [...new Map(specs.map(({ machine }) => [machine.key, machine])).values()];
  const found = profilesOf(machines, options.valid ?? EVERY_TEXT, options.alphabet ?? TEXT_ALPHABET);
  const places = specs.map(({ machine }) => machines.findIndex(({ key }) => key === machine.key));
  const singles = found.profiles.map(({ text, accepted }) => ({
    values: [text],
    truths: places.map((place) => accepted[place] === true),
  }));
  const lists = new Map<string, ValueList>();
  for (const single of [...singles, ...(options.more ?? [])]) keep(lists, single);
  const generators = [...lists.values()];
  for (const list of lists.values()) {
    if (lists.size > MAX_LISTS) return { lists: [...lists.values()], exact: false };
    for (const single of generators) keep(lists, join(specs, list, single));
  }
  return { lists: [...lists.values()], exact: found.complete };
}

function keep(lists: Map<string, ValueList>, list: ValueList): void {
  const key = list.truths.map(Number).join("");
  if (!lists.has(key)) lists.set(key, list);
}

function join(specs: readonly ListSpec[], left: ValueList, right: ValueList): ValueList {
  const truths = specs.map(({ over }, at) => {
    const [one, other] = [left.truths[at] === true, right.truths[at] === true];
    return over === "some" ? one || other : one && other;
  });
  return { values: [...left.values, ...right.values], truths };
}

/** The truths of a cell, of one answer a condition. */
export function truthsOf(
  specs: readonly (readonly [Condition, unknown])[],
  answer: (at: number) => boolean,
): Cell["truths"] {
  return new Map(specs.flatMap(([condition], at): [Condition, Truth4][] => (answer(at) ? [[condition, TRUE]] : [])));
}
