import type { TokenState } from "../model/index.ts";

/** What a condition says of one cell of its dimension: false, lacking a token only, unknown, true. Higher is truer. */
export const FALSE = 0;
export const NO_TOKEN = 1;
export const UNKNOWN = 2;
export const TRUE = 3;
export type Truth4 = typeof FALSE | typeof NO_TOKEN | typeof UNKNOWN | typeof TRUE;

/** One property of a request, of which a cell's example has this value. */
export type Part =
  | { readonly kind: "shape"; readonly method: string; readonly upgrade: string | undefined }
  | { readonly kind: "path"; readonly raw: string }
  | { readonly kind: "port"; readonly port: number }
  | { readonly kind: "host"; readonly host: string }
  | { readonly kind: "time"; readonly at: number }
  /** Without an address the peer is on a unix socket. */
  | { readonly kind: "address"; readonly address: string | undefined }
  /** Without values the header is withheld. */
  | { readonly kind: "header"; readonly name: string; readonly values: readonly string[] | undefined }
  | { readonly kind: "query-form"; readonly malformed: boolean }
  | { readonly kind: "query"; readonly name: string; readonly values: readonly string[] }
  | { readonly kind: "token"; readonly provider: string; readonly state: TokenState["kind"] | "not-run" }
  | { readonly kind: "scopes"; readonly provider: string; readonly claims: Readonly<Record<string, unknown>> }
  | { readonly kind: "claim"; readonly provider: string; readonly name: string; readonly value: unknown };

/** One condition on one dimension. Conditions that say the same are the same object. */
export interface Condition {
  readonly dimension: AnyDimension;
  /** Unique in its dimension. */
  readonly id: number;
}

/** A part of a dimension on which every condition is constant, with an example. Conditions left out are false. */
export interface Cell {
  readonly part: Part;
  readonly truths: ReadonlyMap<Condition, Truth4>;
}

export interface Cells {
  readonly cells: readonly Cell[];
  /** Whether the cells are all there are. */
  readonly exact: boolean;
}

/** A dimension as the search sees it. */
export interface AnyDimension {
  readonly name: string;
  /** Where the search asks for it; equal ranks by name. */
  readonly rank: number;
  /**
   * The cells that these conditions tell apart. With `touch`, cells on which none of those conditions can hold may be
   * left out.
   */
  cells(conditions: readonly Condition[], touch?: ReadonlySet<Condition>): Cells;
}

/** The order in which the search asks: first what tells most lines apart. A token comes last, as in a decision. */
export const RANKS = {
  path: 0,
  shape: 1,
  port: 2,
  host: 3,
  time: 4,
  address: 5,
  header: 6,
  "query-form": 7,
  query: 8,
  token: 9,
  scopes: 10,
  claim: 11,
} as const;

/** What dimensions share: conditions by text, cells by conditions. */
export abstract class Dimension<Spec> implements AnyDimension {
  readonly name: string;
  readonly rank: number;
  readonly #specs: Spec[] = [];
  readonly #conditions = new Map<string, Condition>();
  readonly #cells = new Map<string, Cells>();

  constructor(kind: keyof typeof RANKS, name = "") {
    this.name = name === "" ? kind : `${kind} ${name}`;
    this.rank = RANKS[kind];
  }

  /** The condition of this text, which must say all about it. */
  condition(text: string, spec: Spec): Condition {
    const known = this.#conditions.get(text);
    if (known !== undefined) return known;
    const made: Condition = { dimension: this, id: this.#specs.push(spec) - 1 };
    this.#conditions.set(text, made);
    return made;
  }

  cells(conditions: readonly Condition[], touch?: ReadonlySet<Condition>): Cells {
    const sorted = [...conditions].sort((left, right) => left.id - right.id);
    const touched = touch === undefined ? "" : sorted.map((each) => (touch.has(each) ? "+" : "-")).join("");
    const key = `${sorted.map(({ id }) => id).join(",")} ${touched}`;
    const known = this.#cells.get(key);
    if (known !== undefined) return known;
    const specs = sorted.flatMap((condition) => {
      const spec = this.#specs[condition.id];
      return spec === undefined ? [] : [[condition, spec] as const];
    });
    const made = this.divide(specs, touch);
    this.#cells.set(key, made);
    return made;
  }

  protected abstract divide(
    specs: readonly (readonly [Condition, Spec])[],
    touch: ReadonlySet<Condition> | undefined,
  ): Cells;
}

/** Cells made of candidates: of those on which all conditions agree, the first. */
export function cellsOfCandidates<Spec, Candidate>(
  specs: readonly (readonly [Condition, Spec])[],
  candidates: Iterable<Candidate>,
  test: (spec: Spec, candidate: Candidate) => Truth4,
  partOf: (candidate: Candidate) => Part,
): readonly Cell[] {
  const cells = new Map<string, Cell>();
  for (const candidate of candidates) {
    const answers = specs.map(([, spec]) => test(spec, candidate));
    const key = answers.join("");
    if (cells.has(key)) continue;
    const truths = new Map<Condition, Truth4>();
    for (const [index, [condition]] of specs.entries()) {
      const answer = answers[index];
      if (answer !== undefined && answer !== FALSE) truths.set(condition, answer);
    }
    cells.set(key, { part: partOf(candidate), truths });
  }
  return [...cells.values()];
}

/** A truth of the matchers as one of the four. */
export function truthOf(truth: boolean | "unknown"): Truth4 {
  if (truth === "unknown") return UNKNOWN;
  return truth ? TRUE : FALSE;
}
