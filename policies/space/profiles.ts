import { type Alphabet, categoryOf } from "./characters.ts";
import type { TextMachine } from "./text-machine.ts";

/** What all the machines say of some text, with the shortest such text. */
export interface Profile {
  /** One answer a machine, in their order. */
  readonly accepted: readonly boolean[];
  readonly text: string;
  /** Another text with the same answers that is none of these; nothing where there is none. */
  readonly other: (than: ReadonlySet<string>) => string | undefined;
}

/** All profiles that texts have. `complete` is false where there were too many states to look at all of them. */
export interface Profiles {
  readonly profiles: readonly Profile[];
  readonly complete: boolean;
}

interface State {
  /** One state a machine; the last is that of `valid`. */
  readonly parts: readonly number[];
  readonly text: string;
  /** Index into the states, one a class of characters. */
  readonly next: number[];
}

const MAX_STATES = 20_000;

/** A machine whose states are numbers and whose steps are looked up once. */
class Tabled {
  readonly accepting: boolean[] = [];
  readonly #machine: TextMachine;
  readonly #names: string[] = [];
  readonly #numbers = new Map<string, number>();
  /** By character, then by state. */
  readonly #steps = new Map<string, (number | undefined)[]>();

  constructor(machine: TextMachine) {
    this.#machine = machine;
    this.#numberOf(machine.start);
  }

  /** The steps of one character, by state, as far as they are known. */
  column(character: string): (number | undefined)[] {
    const known = this.#steps.get(character);
    if (known !== undefined) return known;
    const made: (number | undefined)[] = [];
    this.#steps.set(character, made);
    return made;
  }

  step(state: number, character: string, column: (number | undefined)[]): number {
    const next = this.#numberOf(this.#machine.step(this.#names[state] ?? "", character));
    column[state] = next;
    return next;
  }

  #numberOf(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    const number = this.#names.push(name) - 1;
    this.accepting.push(this.#machine.accepts(name));
    this.#numbers.set(name, number);
    return number;
  }
}

/** Machines of the same key are the same, whoever made them: what is known of their steps is kept for so many of them. */
const MAX_TABLED = 2_000;
const tabledMachines = new Map<string, Tabled>();

function tabledOf(machine: TextMachine): Tabled {
  const known = tabledMachines.get(machine.key);
  if (known !== undefined) return known;
  if (tabledMachines.size >= MAX_TABLED) tabledMachines.clear();
  const made = new Tabled(machine);
  tabledMachines.set(machine.key, made);
  return made;
}

/**
 * Every combination of answers that machines give to one text that `valid` accepts: a walk over the product of the
 * machines, breadth first, so that examples are as short as they can be. Characters that no machine tells apart are
 * walked as one.
 */
export function profilesOf(machines: readonly TextMachine[], valid: TextMachine, alphabet: Alphabet): Profiles {
  const all = [...machines, valid];
  const classes = classesOf(all, alphabet);
  const tabled = all.map(tabledOf);
  const columns = classes.map(([character = ""]) => tabled.map((machine) => machine.column(character)));
  const states: State[] = [{ parts: all.map(() => 0), text: "", next: [] }];
  const known = new Map([[keyOf(states[0]?.parts ?? []), 0]]);
  let at = 0;
  for (let state = states[0]; state !== undefined && states.length <= MAX_STATES; state = states[++at]) {
    for (const [index, [character = ""]] of classes.entries()) {
      const parts = stepAll(tabled, state.parts, character, columns[index] ?? []);
      const key = keyOf(parts);
      const found = known.get(key) ?? states.push({ parts, text: state.text + character, next: [] }) - 1;
      known.set(key, found);
      state.next.push(found);
    }
  }
  return { profiles: gather(states, tabled, classes), complete: at === states.length };
}

function stepAll(
  machines: readonly Tabled[],
  from: readonly number[],
  character: string,
  columns: readonly (number | undefined)[][],
): readonly number[] {
  const parts: number[] = [];
  for (let at = 0; at < machines.length; at++) {
    const [machine, column, state = 0] = [machines[at], columns[at], from[at]];
    if (machine !== undefined && column !== undefined)
      parts.push(column[state] ?? machine.step(state, character, column));
  }
  return parts;
}

function keyOf(parts: readonly number[]): string {
  return String.fromCharCode(...parts);
}

/** Characters by what machines can tell apart of them. */
function classesOf(machines: readonly TextMachine[], alphabet: Alphabet): readonly (readonly string[])[] {
  const mentioned = new Set(machines.flatMap((machine) => [...machine.mentions]));
  const usable = new Set(alphabet.characters);
  for (const character of mentioned) if (alphabet.key === "text" || alphabet.key === "segment") usable.add(character);
  const classes = new Map<string, string[]>();
  for (const character of usable) {
    const name = mentioned.has(character) ? `=${character}` : categoryOf(character);
    const list = classes.get(name);
    if (list === undefined) classes.set(name, [character]);
    else list.push(character);
  }
  return [...classes.values()];
}

function gather(
  states: readonly State[],
  machines: readonly Tabled[],
  classes: readonly (readonly string[])[],
): readonly Profile[] {
  const groups = new Map<string, { readonly accepted: readonly boolean[]; text: string; readonly ends: Set<number> }>();
  for (const [index, { parts, text }] of states.entries()) {
    const accepted = machines.map((machine, at) => machine.accepting[parts[at] ?? 0] === true);
    if (accepted.pop() !== true) continue;
    const key = accepted.map(Number).join("");
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { accepted, text, ends: new Set([index]) });
    else {
      group.ends.add(index);
      if (group.text === "") group.text = text;
    }
  }
  return [...groups.values()].map(({ accepted, text, ends }) => ({
    accepted,
    text,
    other: (than) => otherText({ states, ends, classes }, than),
  }));
}

interface Graph {
  readonly states: readonly State[];
  readonly ends: ReadonlySet<number>;
  readonly classes: readonly (readonly string[])[];
}

/**
 * A text that leads to one of the ends and is none of those named, by length: at most as many texts are looked at as are
 * named. A text that is longer than every one of them and than the number of states adds nothing.
 */
function otherText(graph: Graph, than: ReadonlySet<string>): string | undefined {
  const longest = Math.max(0, ...[...than].map((text) => text.length)) + graph.states.length;
  const reach: ReadonlySet<number>[] = [graph.ends];
  for (let length = 0; length <= longest; length++) {
    const last = reach[length];
    if (last === undefined || last.size === 0) return undefined;
    const found = search(graph, reach, 0, length, "", than);
    if (found !== undefined) return found;
    reach.push(before(graph.states, last));
  }
  return undefined;
}

/** The states that lead into one of these in one step. */
function before(states: readonly State[], into: ReadonlySet<number>): ReadonlySet<number> {
  const found = new Set<number>();
  for (const [index, { next }] of states.entries()) if (next.some((each) => into.has(each))) found.add(index);
  return found;
}

function search(
  graph: Graph,
  reach: readonly ReadonlySet<number>[],
  at: number,
  left: number,
  text: string,
  than: ReadonlySet<string>,
): string | undefined {
  if (!reach[left]?.has(at)) return undefined;
  if (left === 0) return than.has(text) ? undefined : text;
  for (const [index, characters] of graph.classes.entries()) {
    const next = graph.states[at]?.next[index];
    if (next === undefined || !reach[left - 1]?.has(next)) continue;
    for (const character of characters) {
      const found = search(graph, reach, next, left - 1, text + character, than);
      if (found !== undefined) return found;
    }
  }
  return undefined;
}
