import { foldLine } from "../match/request.ts";
import type { Attributes, PolicySet, RequestLine, Rule, Workload } from "../model/index.ts";
import type { CallerClass } from "../space/caller-classes.ts";
import { TRUE } from "../space/dimension.ts";
import { attributesOfExample } from "../space/example.ts";
import type { Met } from "../space/lines.ts";
import { type LinePieces, piecesOf } from "../space/pieces.ts";
import type { Contender, Example } from "../space/search.ts";
import { Side } from "../space/side.ts";
import { Universe } from "../space/universe.ts";
import { areApart } from "./apart.ts";
import { CallerGroups } from "./caller-groups.ts";
import type { LineOf, View } from "./line-at.ts";
import { type KnownCaller, MetCallers } from "./met-callers.ts";
import type { Answer, Ask, Question } from "./question.ts";
import { type CallerLine, contendersOf, HIT, SOME, search } from "./run-search.ts";

/** Of so many callers each is asked about, without looking which are alike. */
const FEW = 4;

const SOME_ADDRESS = "192.0.2.1";

/** Answers questions about a set, of requests from an instant on. What is alike in several questions is worked out once. */
export function askerOf(set: PolicySet, now: Date): Ask {
  const asker = new Asker(set, now);
  return (question) => asker.ask(question);
}

class Asker {
  readonly #side: Side;
  readonly #universe: Universe;
  readonly #met: MetCallers;
  readonly #groups: CallerGroups;
  readonly #now: Date;
  readonly #providers: readonly string[];
  readonly #isolates: boolean;
  readonly #pieces = new WeakMap<LineOf, Map<string, LinePieces>>();

  constructor(set: PolicySet, now: Date) {
    this.#side = new Side(set);
    this.#universe = new Universe({ now });
    this.#met = new MetCallers(this.#side);
    this.#groups = new CallerGroups(this.#met, this.#side);
    this.#now = now;
    this.#providers = [...set.mesh.jwtProviders.keys()];
    this.#isolates = set.mesh.isolate.length > 0;
  }

  ask(question: Question): Answer {
    const asked = new Set<string>();
    let undecided = false;
    const place = placeOf(question);
    const rows = this.#rowsOf(question, place);
    for (const at of this.#candidates(question)) {
      const known = this.#met.callers[at];
      const lines = known && this.#linesOf(rows, { at, known, ...place });
      if (known === undefined || lines === undefined || asked.has(lines.key)) continue;
      asked.add(lines.key);
      for (const kind of ["http", "tcp"] as const) {
        const { example, exact } = search(question, this.#contenders(lines.contenders, kind, question));
        if (example !== undefined)
          return { kind: "found", attributes: () => this.#attributes(example, kind, known.of, question) };
        if (!exact) undecided = true;
      }
    }
    return { kind: undecided ? "undecided" : "none" };
  }

  /** Places of the callers that may be in an answer: of those of the line that the fewest meet, one of each group. */
  #candidates({ view, all }: Question): readonly number[] {
    const met = all.map(({ rule, policy }) => this.#met.of(rule, policy));
    const [least] = met.toSorted((left, right) => left.size - right.size);
    if (least === undefined) return [];
    const first =
      least.size < FEW
        ? undefined
        : this.#groups.firstOf(
            view,
            all.map(({ rule }) => rule),
          );
    return first === undefined ? [...least.keys()] : [...least.keys()].filter((at) => first.has(at));
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
    const context = { kind, caller: id, workload, providers: this.#providers, now: this.#now };
    const attributes = attributesOfExample(example, context);
    if (attributes.peerAddress !== undefined || !usesAddresses(view)) return attributes;
    // Lines that the question is not about ask for it: without one they are unknown.
    return { ...attributes, peerAddress: SOME_ADDRESS };
  }

  #rowsOf({ all, none, some }: Question, { refusals, destination }: Omit<Place, "at" | "known">): Rows {
    const rows = (lines: readonly LineOf[]): readonly LineRow[] =>
      lines.map((line) => ({
        line,
        met: this.#met.of(line.rule, line.policy),
        pieces: memo(this.#pieces, line, () => new Map<string, LinePieces>()),
      }));
    const asWritten = !refusals && !destination.paths.caseInsensitive;
    const meeting = asWritten ? none.filter((line) => !all.some((one) => areAllowsApart(one, line))) : none;
    return { all: rows(all), none: rows(meeting), ...(some === undefined ? {} : { some: rows(some) }) };
  }

  /** The lines as one caller meets them; undefined where one that must be true cannot be. */
  #linesOf({ all, none, some }: Rows, place: Place): CallerLines | undefined {
    const contenders: CallerLine[] = [];
    let key = "";
    const add = (row: LineRow, bit: number, tracked: boolean): boolean => {
      const pieces = this.#meet(row, place);
      if (pieces === undefined) return false;
      contenders.push({ pieces, bit, tracked });
      key += `${numberOf(pieces)}:${bit} `;
      return true;
    };
    if (!all.every((line, index) => add(line, 1 << index, true))) return undefined;
    const possible = some?.filter((line) => add(line, SOME, false));
    if (possible?.length === 0) return undefined;
    for (const line of none) add(line, HIT, false);
    return { contenders, key };
  }

  /** What is left of a line once the caller is known; undefined where nothing is. Callers of whom the same is left share it. */
  #meet({ line, met, pieces }: LineRow, place: Place): LinePieces | undefined {
    const left = met.get(place.at);
    if (left === undefined || (this.#isolates && this.#isApart(line.rule, place))) return undefined;
    return memo(pieces, place.reading + left.key, () => this.#piecesOf(line, left, place));
  }

  #isApart({ effect, across }: Rule, { known, destination }: Place): boolean {
    return effect === "allow" && this.#side.apart(known.caller, destination).some((label) => !across.includes(label));
  }

  #piecesOf(line: LineOf, { from, except }: Met, { destination: { paths }, refusals }: Place): LinePieces {
    const read = (request: RequestLine): RequestLine => (paths.caseInsensitive ? foldLine(request) : request);
    const { rule, line: request } = line;
    const left = {
      rule,
      request: request && read(request),
      from,
      except: except && { from: except, requests: rule.except?.requests?.map(read) },
    };
    return piecesOf(left, this.#universe, { readings: [paths], index: 0, refusals });
  }
}

function areAllowsApart(left: LineOf, right: LineOf): boolean {
  return left.rule.effect === "allow" && right.rule.effect === "allow" && areApart(left.line, right.line);
}

function usesAddresses({ allows, denies }: View): boolean {
  return [...allows, ...denies].some(({ rule: { from, except } }) =>
    [...(from ?? []), ...(except?.from ?? [])].some(({ addresses }) => addresses !== undefined),
  );
}

/** A line of a question, the callers that it meets, and what is then left of it. */
interface LineRow {
  readonly line: LineOf;
  readonly met: ReadonlyMap<number, Met>;
  readonly pieces: Map<string, LinePieces>;
}

type Rows = Readonly<Record<"all" | "none", readonly LineRow[]> & Partial<Record<"some", readonly LineRow[]>>>;

/** What a map holds under a key, made where it holds nothing. */
function memo<K, V>(map: { get(key: K): V | undefined; set(key: K, value: V): unknown }, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

/** Which caller, where to, and which requests. */
interface Place {
  readonly at: number;
  readonly known: KnownCaller;
  readonly destination: Workload;
  readonly refusals: boolean;
  /** How the destination reads paths, as text. */
  readonly reading: string;
}

function placeOf({ view: { destination }, refusals = false }: Question): Omit<Place, "at" | "known"> {
  const { caseInsensitive, matrixParameters } = destination.paths;
  return { destination, refusals, reading: `${caseInsensitive} ${matrixParameters} ${refusals} ` };
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
