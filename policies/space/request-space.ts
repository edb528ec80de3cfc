import type { Attributes, PolicySet } from "../model/index.ts";
import { type CallerClass, callerClasses } from "./caller-classes.ts";
import { DestinationSpace, type Finding, type Inquiry } from "./destination-space.ts";
import type { NamedLine, SpaceLine } from "./lines.ts";
import { Side } from "./side.ts";
import { Universe, type UniverseOptions } from "./universe.ts";
import { absence, BROADER, NARROWER } from "./verdict-question.ts";

/** What was found out about requests of one destination. */
export interface SpaceAnswer {
  /** A request that shows it, as a sidecar would report it; nothing where there is none. */
  readonly example: Attributes | undefined;
  /** The callers of which it is true, those first whom `example` is of. */
  readonly callers: readonly CallerClass[];
  /** False where the space was too large to look at all of it: no example then proves nothing. */
  readonly exact: boolean;
}

/** What leaving lines out would change. */
export interface AbsenceAnswer {
  /** Denied now, allowed without the lines. */
  readonly broader: SpaceAnswer;
  /** Allowed now, denied without the lines. */
  readonly narrower: SpaceAnswer;
}

const HELD = 1;
const COVERED = 2;

/**
 * The requests that one policy set decides about. Exact over everything that attributes can say: callers, methods, paths,
 * hosts, headers, queries, tokens, addresses, ports, times. Lines are named by their ids.
 */
export class RequestSpace {
  readonly #side: Side;
  readonly #universe: Universe;
  readonly #callers: readonly CallerClass[];
  readonly #spaces = new Map<string, DestinationSpace>();

  constructor(set: PolicySet, options: UniverseOptions) {
    this.#side = new Side(set);
    this.#universe = new Universe(options);
    this.#callers = callerClasses([this.#side]);
  }

  /** Identities of the destinations. */
  get destinations(): readonly string[] {
    return [...this.#side.destinations];
  }

  /** The lines of the live policies that protect a destination. */
  lines(destination: string): readonly NamedLine[] {
    return this.#space(destination).lines.flatMap(({ named }) => named.flat());
  }

  /** Whether a request exists of which a line is true, for a caller that it can count for (isolation included). */
  satisfiable(destination: string, line: string): SpaceAnswer {
    return this.covered(destination, line, []);
  }

  /**
   * Whether lines together cover another: whenever it is true, at least one of them is. The example is a request of
   * which the line is true and none of the others; nothing where it is covered.
   */
  covered(destination: string, line: string, by: readonly string[]): SpaceAnswer {
    const others = new Set(by);
    const inquiry: Inquiry = {
      bits: (each) => {
        if (hasId(each, (id) => id === line)) return only(HELD);
        return hasId(each, (id) => others.has(id)) ? only(COVERED) : undefined;
      },
      tracks: (each) => hasId(each, (id) => id === line),
      question: ({ callers }) =>
        callers[0] === undefined
          ? undefined
          : {
              answers: 1,
              answer: (bits) => (bits === HELD ? 0 : -1),
              settled: (bits) => (bits & COVERED) !== 0,
              needsTracked: (bits) => (bits & HELD) === 0,
            },
    };
    const [answer] = this.#ask(destination, inquiry, 1);
    return answer ?? NOBODY;
  }

  /** What would change if lines were not there. Lines that change nothing are redundant together. */
  absence(destination: string, lines: readonly string[]): AbsenceAnswer {
    const out = new Set(lines);
    const answers = this.#ask(
      destination,
      absence((line) => hasId(line, (id) => out.has(id))),
      2,
    );
    return { broader: answers[BROADER] ?? NOBODY, narrower: answers[NARROWER] ?? NOBODY };
  }

  #ask(destination: string, inquiry: Inquiry, answers: number): readonly SpaceAnswer[] {
    const space = this.#space(destination);
    const findings = space.ask(inquiry);
    return Array.from({ length: answers }, (_, answer): SpaceAnswer => {
      const found = findings.filter(({ all }) => all[answer] !== undefined);
      return {
        example: found[0]?.all[answer],
        callers: found.flatMap((finding: Finding) => finding.callers),
        exact: space.exact,
      };
    });
  }

  #space(destination: string): DestinationSpace {
    const known = this.#spaces.get(destination);
    if (known !== undefined) return known;
    const made = new DestinationSpace(this.#universe, [this.#side], destination, this.#callers);
    this.#spaces.set(destination, made);
    return made;
  }
}

const NOBODY: SpaceAnswer = { example: undefined, callers: [], exact: true };

function hasId(line: SpaceLine, is: (id: string) => boolean): boolean {
  return line.named[0]?.some(({ id }) => is(id)) === true;
}

function only(bit: number): { whenTrue: number; whenUnknown: number; whenNoToken: number } {
  return { whenTrue: bit, whenUnknown: 0, whenNoToken: 0 };
}

/** The request space of one policy set; see `RequestSpace`. */
export function requestSpace(set: PolicySet, options: UniverseOptions): RequestSpace {
  return new RequestSpace(set, options);
}
