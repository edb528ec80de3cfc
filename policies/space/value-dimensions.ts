import { type IsClean, isCleanHeader, isCleanQuery, valuesMatch } from "../match/values.ts";
import type { Matcher, Rule } from "../model/index.ts";
import { HEADER_ALPHABET, TEXT_ALPHABET } from "./characters.ts";
import { type Cell, type Cells, type Condition, Dimension, UNKNOWN } from "./dimension.ts";
import { hitMachine, MAYBE_GRPC, matcherMachine, SURELY_GRPC } from "./matcher-machine.ts";
import { DEAD, inverse, type TextMachine } from "./text-machine.ts";
import { type ListSpec, truthsOf, type ValueList, valueLists } from "./value-lists.ts";

/** A matcher as a rule of that effect reads it; of `content-type` also what the request lines ask for. */
export type ValueSpec =
  | { readonly kind: "matcher"; readonly effect: Rule["effect"]; readonly matcher: Matcher }
  | { readonly kind: "grpc"; readonly want: "surely" | "not-maybe" };

type Specs = readonly (readonly [Condition, ValueSpec])[];

function listSpec(spec: ValueSpec): ListSpec {
  if (spec.kind === "grpc") {
    return { over: "every", machine: spec.want === "surely" ? SURELY_GRPC : inverse(MAYBE_GRPC) };
  }
  return spec.effect === "allow"
    ? { over: "every", machine: matcherMachine(spec.matcher) }
    : { over: "some", machine: hitMachine(spec.matcher) };
}

/** What a condition says of no values at all. */
function holdsOfNone(spec: ValueSpec, isClean: IsClean): boolean {
  if (spec.kind === "grpc") return spec.want === "not-maybe";
  return valuesMatch(spec.effect, spec.matcher, [], isClean);
}

/** A value that is not clean satisfies no allow and hits every deny. */
function dirty(specs: Specs, value: string, maybe: boolean, surely: boolean): ValueList {
  const truths = specs.map(([, spec]) => {
    if (spec.kind === "grpc") return spec.want === "surely" ? surely : !maybe;
    return spec.effect === "deny";
  });
  return { values: [value], truths };
}

/** Accepts what has no blanks around it, as header values arrive. */
const TRIMMED: TextMachine = {
  key: "trimmed",
  start: "",
  mentions: " \t",
  step: (state, character) => {
    if (!/[ \t]/.test(character)) return "x";
    return state === "" ? DEAD : state === DEAD ? DEAD : "blank";
  },
  accepts: (state) => state === "" || state === "x",
};

function cellsOf(
  specs: Specs,
  lists: readonly ValueList[],
  partOf: (values: readonly string[]) => Cell["part"],
): Cell[] {
  return lists.map(({ values, truths }) => ({
    part: partOf(values),
    truths: truthsOf(specs, (at) => truths[at] === true),
  }));
}

/** The values of one header; that it is withheld only where `unknowns` says so. */
export class HeaderDimension extends Dimension<ValueSpec> {
  readonly #header: string;
  readonly #unknowns: boolean;

  constructor(header: string, unknowns: boolean) {
    super("header", header);
    this.#header = header;
    this.#unknowns = unknowns;
  }

  protected divide(specs: Specs): Cells {
    const part = (values: readonly string[] | undefined): Cell["part"] => ({
      kind: "header",
      name: this.#header,
      values,
    });
    const { lists, exact } = valueLists(
      specs.map(([, spec]) => listSpec(spec)),
      {
        alphabet: HEADER_ALPHABET,
        valid: TRIMMED,
        more: [
          dirty(specs, "\u00c3\u00a9", false, false),
          dirty(specs, "\u00c3\u00a9,application/grpc", true, false),
          dirty(specs, "application/grpc;\u00c3\u00a9", true, true),
        ],
      },
    );
    const none: Cell = { part: part([]), truths: truthsOf(specs, (at) => holdsAt(specs, at, isCleanHeader)) };
    const withheld: Cell = { part: part(undefined), truths: new Map(specs.map(([condition]) => [condition, UNKNOWN])) };
    return { cells: [none, ...cellsOf(specs, lists, part), ...(this.#unknowns ? [withheld] : [])], exact };
  }
}

function holdsAt(specs: Specs, at: number, isClean: IsClean): boolean {
  const spec = specs[at]?.[1];
  return spec !== undefined && holdsOfNone(spec, isClean);
}

/** The values of one query parameter, of a query that can be read. */
export class QueryDimension extends Dimension<ValueSpec> {
  readonly #parameter: string;

  constructor(parameter: string) {
    super("query", parameter);
    this.#parameter = parameter;
  }

  protected divide(specs: Specs): Cells {
    const part = (values: readonly string[]): Cell["part"] => ({ kind: "query", name: this.#parameter, values });
    const { lists, exact } = valueLists(
      specs.map(([, spec]) => listSpec(spec)),
      { alphabet: TEXT_ALPHABET, more: [dirty(specs, "\u0001", false, false)] },
    );
    const none: Cell = { part: part([]), truths: truthsOf(specs, (at) => holdsAt(specs, at, isCleanQuery)) };
    return { cells: [none, ...cellsOf(specs, lists, part)], exact };
  }
}
