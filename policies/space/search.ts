import {
  type AnyDimension,
  type Cell,
  type Condition,
  FALSE,
  NO_TOKEN,
  TRUE,
  type Truth4,
  UNKNOWN,
} from "./dimension.ts";
import { answersWith, type Found, Merged, NOTHING } from "./examples.ts";
import { compareDimensions, type Piece } from "./pieces.ts";
import type { Term } from "./terms.ts";

export type { Example, Examples, Found } from "./examples.ts";

/** A part of a line in a search. */
export interface Contender {
  readonly id: number;
  readonly piece: Piece;
  /** Bits that the line adds to what is known once it is true, unknown, or lacks a token only. */
  readonly bits: { readonly whenTrue: number; readonly whenUnknown: number; readonly whenNoToken: number };
  /** Number of the line whose answers are told apart; absent for others. */
  readonly tracked?: number;
}

/** What a search is after. */
export interface Question {
  /** How many answers there are. */
  readonly answers: number;
  /** The answer where everything is known, or -1. */
  answer(bits: number): number;
  /** Whether nothing that may still come true can lead to an answer. */
  settled(bits: number): boolean;
  /** Whether there is an answer only if some tracked line is not false from here on. */
  needsTracked(bits: number): boolean;
}

/** How many combinations of lines are looked at, at most. */
const MAX_NODES = 300_000;

interface Open {
  readonly term: Term;
  readonly at: number;
  readonly truth: Exclude<Truth4, typeof FALSE>;
}

interface Carved extends Open {
  /** Place in the piece's `except`. */
  readonly index: number;
}

interface Entry extends Open {
  readonly contender: Contender;
  readonly except: readonly Carved[];
}

/**
 * Finds an example of every answer over all requests, dimension by dimension: on each cell of a dimension those lines go
 * on whose conditions hold there. Where the same lines are left with the same outcome so far, what follows is the same
 * and is looked at once, so that the search is a decision diagram that is never written down.
 */
export class Search {
  readonly #question: Question;
  readonly #known = new Map<string, Found>();
  #nodes = 0;
  /** Whether all was looked at. */
  exact = true;

  constructor(question: Question) {
    this.#question = question;
  }

  run(contenders: readonly Contender[], bits: number): Found {
    const entries = contenders.flatMap((contender) => entryOf(contender) ?? []);
    return this.#settle(entries, bits);
  }

  /** Takes out the lines that nothing more is to be asked of. */
  #settle(entries: readonly Entry[], bits: number): Found {
    let known = bits;
    const open: Entry[] = [];
    const decided: number[] = [];
    for (const entry of entries) {
      const outcome = outcomeOf(entry);
      if (outcome === undefined) open.push(entry);
      else if (outcome !== FALSE) {
        known |= bitsOf(entry.contender, outcome);
        if (entry.contender.tracked !== undefined && outcome !== NO_TOKEN) decided.push(entry.contender.tracked);
      }
    }
    const found = this.#explore(open, known);
    if (decided.length === 0 || found.all.length === 0) return found;
    const lines = new Map(found.lines);
    for (const line of decided) lines.set(line, found.all);
    return { all: found.all, lines };
  }

  #explore(entries: readonly Entry[], bits: number): Found {
    const question = this.#question;
    if (entries.length === 0) {
      const answer = question.answer(bits);
      return answer === -1 ? NOTHING : { all: answersWith(answer), lines: new Map() };
    }
    if (question.settled(bits)) return NOTHING;
    const needsTracked = question.needsTracked(bits);
    if (needsTracked && entries.every(({ contender }) => contender.tracked === undefined)) return NOTHING;
    const key = `${bits} ${entries.map(keyOf).join(" ")}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (++this.#nodes > MAX_NODES) {
      this.exact = false;
      return NOTHING;
    }
    const found = this.#divide(entries, bits, needsTracked);
    this.#known.set(key, found);
    return found;
  }

  #divide(entries: readonly Entry[], bits: number, needsTracked: boolean): Found {
    const dimension = nextDimension(entries);
    if (dimension === undefined) return NOTHING;
    const conditions = [...new Set(entries.flatMap((entry) => conditionsOn(entry, dimension)))];
    const { cells, exact } = dimension.cells(conditions, needsTracked ? touched(entries, dimension) : undefined);
    if (!exact) this.exact = false;
    const { waiting, others } = sort(entries, dimension);
    const merged = new Merged(this.#question.answers);
    for (const cell of cells) {
      const here = [...others];
      for (const condition of cell.truths.keys()) here.push(...(waiting.get(condition) ?? []));
      const left = here.map((entry) => advance(entry, dimension, cell)).filter((entry) => entry !== undefined);
      merged.add(cell.part, this.#settle(inOrder(left), bits));
    }
    return merged.found();
  }
}

/** A line before anything is asked; nothing where its exception is everything. */
function entryOf(contender: Contender): Entry | undefined {
  const { conditions, status, except } = contender.piece;
  const everything = except.filter((term) => term.conditions.length === 0);
  if (everything.some((term) => term.status === TRUE)) return undefined;
  const carved = except.flatMap((term, index): readonly Carved[] =>
    term.conditions.length === 0 ? [] : [{ term, index, at: 0, truth: term.status }],
  );
  return {
    contender,
    term: { conditions, status },
    at: 0,
    truth: everything.length === 0 ? status : UNKNOWN,
    except: carved,
  };
}

function inOrder(entries: readonly Entry[]): readonly Entry[] {
  return [...entries].sort((left, right) => left.contender.id - right.contender.id);
}

function keyOf({ contender, at, truth, except }: Entry): string {
  const rest = except.map((each) => `${each.index}@${each.at}${each.truth}`);
  return `${contender.id}:${at}${truth}${rest.length === 0 ? "" : `-${rest.join("-")}`}`;
}

/** What became of a line, once nothing is left to be asked. */
function outcomeOf({ term, at, truth, except }: Entry): Truth4 | undefined {
  if (at < term.conditions.length || except.length > 0) return undefined;
  return truth;
}

function bitsOf({ bits }: Contender, outcome: Truth4): number {
  if (outcome === TRUE) return bits.whenTrue;
  return outcome === UNKNOWN ? bits.whenUnknown : bits.whenNoToken;
}

function nextDimension(entries: readonly Entry[]): AnyDimension | undefined {
  let first: AnyDimension | undefined;
  const consider = ({ term, at }: Open): void => {
    const dimension = term.conditions[at]?.dimension;
    if (dimension !== undefined && (first === undefined || compareDimensions(dimension, first) < 0)) first = dimension;
  };
  for (const entry of entries) {
    consider(entry);
    for (const each of entry.except) consider(each);
  }
  return first;
}

/** The conditions of one term on a dimension, which are the next ones. */
function ownConditions({ term, at }: Open, dimension: AnyDimension): readonly Condition[] {
  let end = at;
  while (term.conditions[end]?.dimension === dimension) end++;
  return term.conditions.slice(at, end);
}

function conditionsOn(entry: Entry, dimension: AnyDimension): readonly Condition[] {
  return [entry, ...entry.except].flatMap((each) => ownConditions(each, dimension));
}

/** The conditions of which one must hold for any tracked line to go on; nothing where some go on anyway. */
function touched(entries: readonly Entry[], dimension: AnyDimension): ReadonlySet<Condition> | undefined {
  const found = new Set<Condition>();
  for (const entry of entries) {
    if (entry.contender.tracked === undefined) continue;
    const [first] = ownConditions(entry, dimension);
    if (first === undefined) return undefined;
    found.add(first);
  }
  return found;
}

/** Lines by the first condition that must hold for them to go on; `others` have none on this dimension. */
function sort(
  entries: readonly Entry[],
  dimension: AnyDimension,
): { readonly waiting: ReadonlyMap<Condition, readonly Entry[]>; readonly others: readonly Entry[] } {
  const waiting = new Map<Condition, Entry[]>();
  const others: Entry[] = [];
  for (const entry of entries) {
    const [first] = ownConditions(entry, dimension);
    if (first === undefined) others.push(entry);
    else waiting.set(first, [...(waiting.get(first) ?? []), entry]);
  }
  return { waiting, others };
}

interface Ahead {
  readonly at: number;
  readonly truth: Truth4;
}

function ahead(open: Open, dimension: AnyDimension, cell: Cell): Ahead {
  let truth: Truth4 = open.truth;
  const conditions = ownConditions(open, dimension);
  for (const condition of conditions) truth = both(truth, cell.truths.get(condition) ?? FALSE);
  return { at: open.at + conditions.length, truth };
}

/** A missing token makes an answer of its own only where all else is certain. */
function both(left: Truth4, right: Truth4): Truth4 {
  if (left === FALSE || right === FALSE) return FALSE;
  if (left === NO_TOKEN || right === NO_TOKEN) return left === UNKNOWN || right === UNKNOWN ? FALSE : NO_TOKEN;
  return left === UNKNOWN || right === UNKNOWN ? UNKNOWN : TRUE;
}

/** The line on a cell; nothing where it is false there. */
function advance(entry: Entry, dimension: AnyDimension, cell: Cell): Entry | undefined {
  const own = ahead(entry, dimension, cell);
  if (own.truth === FALSE) return undefined;
  let truth: Truth4 = own.truth;
  const except: Carved[] = [];
  for (const open of entry.except) {
    const next = ahead(open, dimension, cell);
    if (next.truth !== TRUE && next.truth !== UNKNOWN) continue;
    if (next.at < open.term.conditions.length) except.push({ ...open, at: next.at, truth: next.truth });
    else if (next.truth === TRUE) return undefined;
    else truth = both(truth, UNKNOWN);
  }
  if (truth === FALSE) return undefined;
  return { contender: entry.contender, term: entry.term, at: own.at, truth, except };
}
