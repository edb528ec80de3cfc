import { segmentMatches } from "../match/pattern.ts";
import type { PathOptions, PatternSegment } from "../model/index.ts";
import { foldAscii } from "../path/characters.ts";
import { FOLDED_ALPHABET, SEGMENT_ALPHABET } from "./characters.ts";
import { parameterMachine } from "./parameter-machine.ts";
import { type Profiles, profilesOf } from "./profiles.ts";
import { DEAD, oneOf, reading as readAs, type TextMachine } from "./text-machine.ts";

/** A raw segment: its decoded text before any folding, and whether a path parameter follows it. */
export interface RawSegment {
  readonly text: string;
  readonly parameter: boolean;
}

/** A segment of a pattern under one reading. Tests that say the same have the same key. */
export interface SegmentTest {
  readonly key: string;
  readonly segment: PatternSegment;
  readonly reading: number;
}

/** Non-empty segments that tests do not tell apart. */
export interface SegmentAtom {
  readonly segment: RawSegment;
  /** Keys of the tests that they pass. */
  readonly passing: readonly string[];
  /** By reading: whether the segment makes it refuse the path. */
  readonly refused: readonly boolean[];
}

/** What no decoded segment is: empty, `.`, `..`, or with an escape left in it. */
const VALID: TextMachine = {
  key: "valid",
  start: "",
  mentions: ".%",
  step: (state, character) => {
    if (state === DEAD) return DEAD;
    if (character === "%") return "%";
    if (/[0-9A-Fa-f]/.test(character) && state.startsWith("%")) return state === "%" ? "%h" : DEAD;
    if (character === "." && (state === "" || state === ".")) return `${state}.`;
    return "x";
  },
  accepts: (state) => state !== "" && state !== "." && state !== ".." && state !== DEAD,
};

const WIDE: TextMachine = {
  key: "wide",
  start: "",
  mentions: "",
  step: (state, character) => (state === "wide" || character > "\u007f" ? "wide" : ""),
  accepts: (state) => state === "wide",
};

/** The atoms of non-empty segments under one or two readings of raw paths. */
export class SegmentAtoms {
  readonly #readings: readonly PathOptions[];
  /** Whether the readings fold differently, so that literals are no single segments. */
  readonly #mixesCase: boolean;
  readonly #mixesParameters: boolean;
  readonly #profiles = new Map<string, Profiles>();
  /** By key of the test. */
  readonly #machines = new Map<string, TextMachine>();

  constructor(readings: readonly PathOptions[]) {
    this.#readings = readings;
    const [first, second = first] = readings;
    this.#mixesCase = first?.caseInsensitive !== second?.caseInsensitive;
    this.#mixesParameters = first?.matrixParameters !== second?.matrixParameters;
  }

  /** The test of a pattern's segment under a reading. */
  test(segment: PatternSegment, reading: number): SegmentTest {
    const folds = this.#readings[reading]?.caseInsensitive === true;
    const scope = this.#mixesCase ? (folds ? "fold " : "exact ") : "";
    const what =
      segment.kind === "literal"
        ? `=${segment.value}`
        : JSON.stringify(segment.kind === "parameter" ? [segment.type, segment.prefix, segment.suffix] : []);
    return { key: scope + what, segment, reading };
  }

  /** The atoms that tests tell apart; `exact` is false where there were too many to look at. */
  of(tests: readonly SegmentTest[]): { readonly atoms: readonly SegmentAtom[]; readonly exact: boolean } {
    const single = ({ segment }: SegmentTest): boolean => !this.#mixesCase && segment.kind === "literal";
    const others = tests.filter((test) => !single(test));
    const { profiles, complete } = this.#profilesOf(others);
    const literals = new Map<string, string[]>();
    for (const { segment, key } of tests.filter(single)) {
      if (segment.kind !== "literal" || segment.value === "") continue;
      literals.set(segment.value, [...(literals.get(segment.value) ?? []), key]);
    }
    const values = new Set(literals.keys());
    const named = [...literals].map(([value, keys]) => this.#literalAtom(value, keys, others));
    const rest = profiles.flatMap((profile): readonly SegmentAtom[] => {
      const text = values.has(profile.text) ? profile.other(values) : profile.text;
      if (text === undefined) return [];
      const passing = others.filter((_, at) => profile.accepted[at] === true).map(({ key }) => key);
      return [{ segment: { text, parameter: false }, passing, refused: this.#refused(text) }];
    });
    const atoms = [...named, ...rest];
    return {
      atoms: this.#mixesParameters ? atoms.flatMap((atom) => this.#withParameter(atom)) : atoms,
      exact: complete,
    };
  }

  #literalAtom(value: string, own: readonly string[], others: readonly SegmentTest[]): SegmentAtom {
    const passed = others.filter(({ segment }) => segmentMatches(segment, value)).map(({ key }) => key);
    return { segment: { text: value, parameter: false }, passing: [...own, ...passed], refused: this.#refused(value) };
  }

  #refused(text: string): readonly boolean[] {
    const wide = /[^\x20-\x7e]/.test(text);
    return this.#readings.map(({ caseInsensitive }) => wide && caseInsensitive);
  }

  /** The same with a path parameter after it, which one of the readings refuses. */
  #withParameter(atom: SegmentAtom): readonly SegmentAtom[] {
    const refused = this.#readings.map((one, at) => atom.refused[at] === true || one.matrixParameters === "reject");
    return [atom, { ...atom, segment: { ...atom.segment, parameter: true }, refused }];
  }

  #profilesOf(tests: readonly SegmentTest[]): Profiles {
    const machines = tests.map((test) => this.#machine(test));
    const key = machines.map((machine) => machine.key).join("\n");
    const known = this.#profiles.get(key);
    if (known !== undefined) return known;
    const folds = this.#readings.every(({ caseInsensitive }) => caseInsensitive);
    const made = profilesOf(
      this.#mixesCase ? [...machines, WIDE] : machines,
      VALID,
      folds ? FOLDED_ALPHABET : SEGMENT_ALPHABET,
    );
    this.#profiles.set(key, made);
    return made;
  }

  #machine(test: SegmentTest): TextMachine {
    const known = this.#machines.get(test.key);
    if (known !== undefined) return known;
    const made = this.#made(test);
    this.#machines.set(test.key, made);
    return made;
  }

  #made({ segment, reading }: SegmentTest): TextMachine {
    const machine = segment.kind === "parameter" ? parameterMachine(segment) : oneOf(literalOf(segment));
    const folds = this.#mixesCase && this.#readings[reading]?.caseInsensitive === true;
    return folds ? readAs(machine, foldAscii, "fold") : machine;
  }
}

function literalOf(segment: PatternSegment): readonly string[] {
  return segment.kind === "literal" ? [segment.value] : [];
}
