import type { Caller } from "../match/caller.ts";
import type { Attributes, PathOptions, Workload } from "../model/index.ts";
import { type CallerClass, callerClasses } from "./caller-classes.ts";
import { attributesOfExample } from "./example.ts";
import type { Examples, Found } from "./examples.ts";
import { type Met, meet, type PolicySource, type SpaceLine, spaceLines } from "./lines.ts";
import { type LinePieces, piecesOf } from "./pieces.ts";
import { isSameReading, readingsOf } from "./readings.ts";
import { RuleIndex, type SpaceRule } from "./rule-index.ts";
import { type Contender, type Question, Search } from "./search.ts";
import type { Side } from "./side.ts";
import { Conditions } from "./terms.ts";
import type { Universe } from "./universe.ts";

type Bits = Contender["bits"];

/** What is asked of a destination's requests. */
export interface Inquiry {
  /** What each line adds for a side; nothing where the line does not take part. */
  readonly bits: (line: SpaceLine, side: number) => Bits | undefined;
  /** Whether a line that the sides in `met` (a bit each) meet is told apart in the answers. */
  readonly tracks: (line: SpaceLine, met: number) => boolean;
  /** The question for one kind of caller; nothing where it need not be asked. */
  readonly question: (situation: Situation) => Question | undefined;
  /** Bits of a refused path or host, by side; absent where refusals do not matter. */
  readonly refused?: (side: number) => number;
}

/** What each side makes of a caller. */
export interface Situation {
  readonly callers: readonly (Caller | undefined)[];
  /** By side; empty where the caller or the destination is not known. */
  readonly apart: readonly (readonly string[])[];
  readonly destinations: readonly (Workload | undefined)[];
}

/** What was found for callers that nothing tells apart. */
export interface Finding {
  readonly callers: readonly CallerClass[];
  readonly situation: Situation;
  /** An example of each answer. */
  readonly all: readonly (Attributes | undefined)[];
  /** By number of the line, for tracked lines. */
  readonly lines: ReadonlyMap<number, readonly (Attributes | undefined)[]>;
}

/** All requests to one destination, as the lines of one policy set or two tell them apart. */
export class DestinationSpace {
  readonly destination: string;
  readonly lines: readonly SpaceLine[];
  readonly workloads: readonly (Workload | undefined)[];
  /** Whether everything that was asked so far was answered exactly. */
  exact = true;
  readonly #universe: Universe;
  readonly #sides: readonly Side[];
  readonly #callers: readonly CallerClass[];
  readonly #readings: readonly PathOptions[];
  readonly #pieces = new Map<string, LinePieces>();
  readonly #refusals: boolean;
  readonly #rules: RuleIndex;

  constructor(
    universe: Universe,
    sides: readonly Side[],
    destination: string,
    callers: readonly CallerClass[] = callerClasses(sides),
  ) {
    this.#universe = universe;
    this.#sides = sides;
    this.#callers = callers;
    this.destination = destination;
    this.workloads = sides.map((side) => side.destination(destination));
    const { readings, of } = readingsOf(this.workloads);
    this.#readings = readings;
    this.#refusals = this.workloads.some((workload) => workload?.mode === "monitor");
    this.lines = spaceLines(
      sides.map((side, at) => (this.workloads[at] === undefined ? EMPTY : side)),
      destination,
      readings,
      of,
    );
    this.#rules = new RuleIndex(this.lines);
  }

  /** Asks of every kind of caller; callers that meet the same lines are asked about once. */
  ask(inquiry: Inquiry): readonly Finding[] {
    const groups = new Map<string, Group>();
    for (const caller of this.#callers) {
      const situation = this.#situation(caller);
      const question = inquiry.question(situation);
      if (question === undefined) continue;
      const meetings = this.#meetings(situation);
      const met = meetings.map(({ rule, met: each, sides }) => `${rule.number}:${sides}:${each.key}`);
      const key = `${situationKey(situation)} ${met.join(" ")}`;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, { callers: [caller], situation, question, meetings });
      else group.callers.push(caller);
    }
    return [...groups.values()].flatMap((group) => this.#answer(group, inquiry));
  }

  #situation({ id }: CallerClass): Situation {
    const callers = this.#sides.map((side, at) => (this.workloads[at] === undefined ? undefined : side.caller(id)));
    const apart = this.#sides.map((side, at) => {
      const [caller, workload] = [callers[at], this.workloads[at]];
      return caller === undefined || workload === undefined ? [] : side.apart(caller, workload);
    });
    return { callers, apart, destinations: this.workloads };
  }

  /** The rules that a caller can meet, each with the sides that it meets it in. */
  #meetings({ callers, apart }: Situation): readonly Meeting[] {
    const meetings: Meeting[] = [];
    for (const rule of this.#rules.candidates(callers)) {
      let first: Meeting | undefined;
      for (const [side, caller] of callers.entries()) {
        const policy = rule.policies[side];
        if (caller === undefined || policy === undefined) continue;
        const met = meet(rule.rule, policy, caller, apart[side] ?? []);
        if (met === undefined) continue;
        if (first?.met.key === met.key) first.sides |= 1 << side;
        else {
          first = { rule, met, sides: 1 << side };
          meetings.push(first);
        }
      }
    }
    return meetings;
  }

  /** The lines of what a caller meets; `sides` are those that meet the rule and have the line. */
  #lineMeetings(meetings: readonly Meeting[], inquiry: Inquiry): readonly LineMeeting[] {
    return meetings.flatMap(({ rule, met, sides }) =>
      rule.lines.flatMap((line): readonly LineMeeting[] => {
        let own = 0;
        const bits = { whenTrue: 0, whenUnknown: 0, whenNoToken: 0 };
        for (let side = 0; side < this.#sides.length; side++) {
          if ((sides & (1 << side)) === 0 || line.named[side]?.length === 0) continue;
          const each = inquiry.bits(line, side);
          if (each === undefined) continue;
          own |= 1 << side;
          bits.whenTrue |= each.whenTrue;
          bits.whenUnknown |= each.whenUnknown;
          bits.whenNoToken |= each.whenNoToken;
        }
        return own === 0 ? [] : [{ line, met, bits, tracked: inquiry.tracks(line, own) }];
      }),
    );
  }

  #answer({ callers, situation, question, meetings }: Group, inquiry: Inquiry): readonly Finding[] {
    const met = this.#lineMeetings(meetings, inquiry);
    if (question.needsTracked(0) && !met.some(({ tracked }) => tracked)) return [];
    const found = (["http", "tcp"] as const).map((kind) => {
      const contenders = [
        ...met.flatMap((each) => this.#contenders(each, kind)),
        ...(kind === "http" && this.#refusals && inquiry.refused ? this.#refusalContenders(inquiry.refused) : []),
      ].map((contender, id) => ({ ...contender, id }));
      const search = new Search(question);
      const result = search.run(contenders, 0);
      if (!search.exact) this.exact = false;
      return { kind, result };
    });
    const [first] = callers;
    if (first === undefined || found.every(({ result }) => result.all.length === 0)) return [];
    const made = new Map<object, Attributes | undefined>();
    const example = (pick: (found: Found) => Examples | undefined): readonly (Attributes | undefined)[] =>
      Array.from({ length: question.answers }, (_, answer) => {
        for (const { kind, result } of found) {
          const one = pick(result)?.[answer];
          if (one === undefined) continue;
          const known = one === null ? undefined : made.get(one);
          const whole = known ?? this.#attributes(one, kind, first, situation);
          if (one !== null) made.set(one, whole);
          return whole;
        }
        return undefined;
      });
    const numbers = new Set(found.flatMap(({ result }) => [...result.lines.keys()]));
    const lines = [...numbers].map((number) => [number, example(({ lines: each }) => each.get(number))] as const);
    return [{ callers, situation, all: example(({ all }) => all), lines: new Map(lines) }];
  }

  #attributes(
    example: Exclude<Examples[number], undefined>,
    kind: "http" | "tcp",
    caller: CallerClass,
    { destinations }: Situation,
  ): Attributes | undefined {
    const workload = destinations.find((each) => each !== undefined);
    const providers = this.#sides.flatMap(({ set }) => [...set.mesh.jwtProviders.keys()]);
    return (
      workload &&
      attributesOfExample(example, { kind, caller: caller.id, workload, providers, now: this.#universe.options.now })
    );
  }

  #contenders({ line, met, bits, tracked }: LineMeeting, kind: "http" | "tcp"): readonly Contender[] {
    const mark = tracked ? { tracked: line.number } : {};
    return this.#piecesOf(line, met)[kind].map((piece) => ({ id: 0, piece, bits, ...mark }));
  }

  #piecesOf(line: SpaceLine, met: Met): LinePieces {
    const key = `${line.number} ${met.key}`;
    const known = this.#pieces.get(key);
    if (known !== undefined) return known;
    const { rule, request, exceptRequests } = line;
    const except = met.except && { from: met.except, requests: exceptRequests };
    const made = piecesOf({ rule, request, from: met.from, except }, this.#universe, this.#reading(line.reading));
    this.#pieces.set(key, made);
    return made;
  }

  #reading(index: number): { readings: readonly PathOptions[]; index: number; refusals: boolean } {
    return { readings: this.#readings, index, refusals: this.#refusals };
  }

  /** Refused paths and hosts as if they were lines. */
  #refusalContenders(refused: (side: number) => number): readonly Contender[] {
    const hosts = this.#universe.host.condition("refused", { kind: "refused" });
    return this.#sides.flatMap((_, side) => {
      const workload = this.workloads[side];
      if (workload === undefined) return [];
      const index = this.#readings.findIndex((reading) => isSameReading(reading, workload.paths));
      const paths = new Conditions(this.#universe, this.#reading(index)).refused("true");
      const bits = { whenTrue: refused(side), whenUnknown: 0, whenNoToken: 0 };
      return [paths, hosts].map((condition) => ({
        id: 0,
        piece: { conditions: [condition], status: 3, except: [] } as const,
        bits,
      }));
    });
  }
}

interface Meeting {
  readonly rule: SpaceRule;
  readonly met: Met;
  /** A bit a side. */
  sides: number;
}

interface LineMeeting {
  readonly line: SpaceLine;
  readonly met: Met;
  readonly bits: Bits;
  readonly tracked: boolean;
}

interface Group {
  readonly callers: CallerClass[];
  readonly situation: Situation;
  readonly question: Question;
  readonly meetings: readonly Meeting[];
}

/** Stands in for a side that does not know the destination. */
const EMPTY: PolicySource = { policies: () => [] };

/** What a situation means to the lines beside which of them are met. */
function situationKey({ callers, apart }: Situation): string {
  let key = "";
  for (const [side, caller] of callers.entries()) {
    key += caller === undefined ? "-" : caller.kind === "anonymous" ? "a" : "c";
    if (apart[side]?.length !== 0) key += JSON.stringify(apart[side]);
  }
  return key;
}
