import type { Caller } from "../match/caller.ts";
import { foldLine } from "../match/request.ts";
import type { Attributes, PolicySet, RequestLine, Rule, Workload } from "../model/index.ts";
import { type CallerClass, callerClasses } from "../space/caller-classes.ts";
import { TRUE } from "../space/dimension.ts";
import { attributesOfExample } from "../space/example.ts";
import { type Met, meet } from "../space/lines.ts";
import { type LinePieces, piecesOf } from "../space/pieces.ts";
import { type Contender, type Example, Search } from "../space/search.ts";
import { Side } from "../space/side.ts";
import { Universe } from "../space/universe.ts";
import type { LineOf } from "./line-at.ts";
import type { Answer, Ask, Question } from "./question.ts";

/** A kind of caller, and who it is to the set. */
interface KnownCaller {
  readonly of: CallerClass;
  readonly caller: Caller;
}

const SOME = 1 << 28;
const HIT = 1 << 29;

/** Answers questions about a set, of requests from an instant on. What is alike in several questions is worked out once. */
export function askerOf(set: PolicySet, now: Date): Ask {
  const asker = new Asker(set, now);
  return (question) => asker.ask(question);
}

class Asker {
  readonly #side: Side;
  readonly #universe: Universe;
  readonly #callers: readonly KnownCaller[];
  readonly #now: Date;
  readonly #providers: readonly string[];
  readonly #met = new WeakMap<Rule, readonly (Met | undefined)[]>();
  readonly #pieces = new WeakMap<object, Map<string, LinePieces>>();

  constructor(set: PolicySet, now: Date) {
    this.#side = new Side(set);
    this.#universe = new Universe({ now });
    this.#now = now;
    this.#providers = [...set.mesh.jwtProviders.keys()];
    this.#callers = callerClasses([this.#side]).flatMap((of) => {
      const caller = this.#side.caller(of.id);
      return caller === undefined ? [] : [{ of, caller }];
    });
  }

  ask(question: Question): Answer {
    const asked = new Set<string>();
    let undecided = false;
    for (const [at, { of }] of this.#callers.entries()) {
      const lines = this.#linesOf(question, at);
      if (lines === undefined || asked.has(lines.key)) continue;
      asked.add(lines.key);
      for (const kind of ["http", "tcp"] as const) {
        const { example, exact } = search(question, this.#contenders(lines.contenders, kind, question));
        if (example !== undefined) return { kind: "found", attributes: this.#attributes(example, kind, of, question) };
        if (!exact) undecided = true;
      }
    }
    return { kind: undecided ? "undecided" : "none" };
  }

  #contenders(lines: readonly CallerLine[], kind: "http" | "tcp", { refusals }: Question): readonly Contender[] {
    const contenders = contendersOf(lines, kind, refusals === true);
    if (kind === "tcp" || refusals !== true) return contenders;
    // Adds nothing to an answer, but makes the search look at refused hosts.
    const host = this.#universe.host.condition("refused", { kind: "refused" });
    const piece = { conditions: [host], status: TRUE, except: [] } as const;
    return [...contenders, { id: contenders.length, piece, bits: { whenTrue: 0, whenUnknown: 0, whenNoToken: 0 } }];
  }

  #attributes(example: Example | null, kind: "http" | "tcp", { id }: CallerClass, { view }: Question): Attributes {
    const workload = view.destination;
    return attributesOfExample(example, { kind, caller: id, workload, providers: this.#providers, now: this.#now });
  }

  /** The lines as one caller meets them; undefined where one that must be true cannot be. */
  #linesOf({ view, all, none, some, refusals = false }: Question, at: number): CallerLines | undefined {
    const contenders: CallerLine[] = [];
    const place = { at, destination: view.destination, refusals };
    for (const [index, line] of all.entries()) {
      const pieces = this.#meet(line, place);
      if (pieces === undefined) return undefined;
      contenders.push({ pieces, bit: 1 << index, tracked: true });
    }
    for (const line of some ?? []) this.#add(contenders, line, place, SOME);
    if (some !== undefined && !contenders.some(({ bit }) => bit === SOME)) return undefined;
    for (const line of none) this.#add(contenders, line, place, HIT);
    return { contenders, key: contenders.map(({ pieces, bit }) => `${numberOf(pieces)}:${bit}`).join(" ") };
  }

  #add(into: CallerLine[], line: LineOf, place: Place, bit: number): void {
    const pieces = this.#meet(line, place);
    if (pieces !== undefined) into.push({ pieces, bit, tracked: false });
  }

  /** What is left of a line once the caller is known; undefined where nothing is. */
  #meet(line: LineOf, place: Place): LinePieces | undefined {
    const { at, destination } = place;
    const known =
      this.#met.get(line.rule) ?? this.#callers.map(({ caller }) => meet(line.rule, line.policy, caller, []));
    this.#met.set(line.rule, known);
    const [met, caller] = [known[at], this.#callers[at]?.caller];
    if (met === undefined || caller === undefined || this.#isApart(line.rule, caller, destination)) return undefined;
    return this.#piecesOf(line, met, place);
  }

  #isApart({ effect, across }: Rule, caller: Caller, destination: Workload): boolean {
    return effect === "allow" && this.#side.apart(caller, destination).some((label) => !across.includes(label));
  }

  #piecesOf(line: LineOf, { key, from, except }: Met, { destination: { paths }, refusals }: Place): LinePieces {
    const known = this.#pieces.get(line) ?? new Map<string, LinePieces>();
    this.#pieces.set(line, known);
    const name = `${paths.caseInsensitive} ${paths.matrixParameters} ${refusals} ${key}`;
    const there = known.get(name);
    if (there !== undefined) return there;
    const read = (request: RequestLine): RequestLine => (paths.caseInsensitive ? foldLine(request) : request);
    const { rule, line: request } = line;
    const left = {
      rule,
      request: request && read(request),
      from,
      except: except && { from: except, requests: rule.except?.requests?.map(read) },
    };
    const made = piecesOf(left, this.#universe, { readings: [paths], index: 0, refusals });
    known.set(name, made);
    return made;
  }
}

/** Which caller, where to, and which requests. */
interface Place {
  readonly at: number;
  readonly destination: Workload;
  readonly refusals: boolean;
}

interface CallerLine {
  readonly pieces: LinePieces;
  readonly bit: number;
  readonly tracked: boolean;
}

interface CallerLines {
  readonly contenders: readonly CallerLine[];
  /** Callers with the same key meet the same lines. */
  readonly key: string;
}

const numbers = new WeakMap<LinePieces, number>();
let last = 0;

function numberOf(pieces: LinePieces): number {
  const known = numbers.get(pieces) ?? ++last;
  numbers.set(pieces, known);
  return known;
}

/** Runs one search and stops at the first example; `null` is one in which nothing matters. */
function search(
  { all, some }: Question,
  contenders: readonly Contender[],
): { readonly example: Example | null | undefined; readonly exact: boolean } {
  const whole = (1 << all.length) - 1;
  const wanted = some === undefined ? whole : whole | SOME;
  const isThere = all.every((_, index) => contenders.some(({ bits }) => bits.whenTrue === 1 << index));
  if (!isThere) return { example: undefined, exact: true };
  let done = false;
  const engine = new Search({
    answers: 1,
    answer: (bits) => {
      const found = (bits & HIT) === 0 && (bits & wanted) === wanted;
      done ||= found;
      return found ? 0 : -1;
    },
    settled: (bits) => done || (bits & HIT) !== 0,
    needsTracked: (bits) => (bits & whole) !== whole,
  });
  const [example] = engine.run(contenders, 0).all;
  return { example, exact: engine.exact };
}

function contendersOf(
  lines: readonly CallerLine[],
  kind: "http" | "tcp",
  unknownCounts: boolean,
): readonly Contender[] {
  let id = 0;
  return lines.flatMap(({ pieces, bit, tracked }, line) =>
    pieces[kind].map((piece) => ({
      id: id++,
      piece,
      bits: { whenTrue: bit, whenUnknown: unknownCounts ? bit : 0, whenNoToken: 0 },
      ...(tracked ? { tracked: line } : {}),
    })),
  );
}
