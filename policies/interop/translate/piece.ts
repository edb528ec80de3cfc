import type { Matcher } from "../../model/index.ts";
import type { PathSet } from "./path-set.ts";
import { both, type ValueTest } from "./value-tests.ts";

/** Methods by name, or all. */
export type Methods = readonly string[] | "ANY";

/** One conjunction that the source asks of a request. */
export interface Condition {
  readonly methods: Methods;
  /** Patterns as an allow reads them; `undefined` where they cannot be said, so that every path may match. */
  readonly paths: PathSet | undefined;
  /** Exact host names; absent: any. */
  readonly hosts?: readonly string[];
  /** All must hold. */
  readonly tests: readonly ValueTest[];
  /** Something else that cannot be said: the condition may hold less often than it looks. */
  readonly opaque?: boolean;
}

/** What one allow rule grants: a conjunction, without some requests. */
export interface Piece {
  readonly methods: Methods;
  readonly paths: readonly string[];
  readonly hosts?: readonly string[];
  readonly headers: ReadonlyMap<string, Matcher>;
  readonly query: ReadonlyMap<string, Matcher>;
  /** Request lines that are carved out. */
  readonly except: readonly string[];
}

/** Pieces together, and why they are less than was asked, if they are. */
export interface Pieces {
  readonly pieces: readonly Piece[];
  readonly losses: readonly Loss[];
}

/** `inexpressible`: requests are left out that no rule can name. The others are as in `PathSet` and `ValueTest`. */
export type Loss = "long-number" | "long-value" | "inexpressible";

/** Every request. */
export const EVERYTHING: Condition = { methods: "ANY", paths: { patterns: ["/**"] }, tests: [] };

/** What an allow of the condition grants. */
export function piecesOf(condition: Condition): Pieces {
  const { methods, paths, hosts, tests, opaque } = condition;
  const losses: Loss[] = [];
  if (paths === undefined || opaque === true) return { pieces: [], losses: ["inexpressible"] };
  if (paths.shortage !== undefined) losses.push(paths.shortage === "other" ? "inexpressible" : paths.shortage);
  const start: Piece = {
    methods,
    paths: paths.patterns,
    ...(hosts === undefined ? {} : { hosts }),
    headers: new Map(),
    query: new Map(),
    except: [],
  };
  let pieces: readonly Piece[] = paths.patterns.length === 0 || methods.length === 0 ? [] : [start];
  for (const test of tests) {
    if (test.shortage !== undefined) losses.push(test.shortage === "other" ? "inexpressible" : test.shortage);
    const next = pieces.flatMap((piece) => test.holds.map((matcher) => narrowed(piece, test, matcher)));
    if (next.includes(undefined)) losses.push("inexpressible");
    pieces = next.filter((piece) => piece !== undefined && piece !== "never");
  }
  return { pieces, losses: [...new Set(losses)] };
}

/** The piece with one more matcher: `never` if nothing is left, `undefined` if it cannot be said. */
export function narrowed(
  piece: Piece,
  { of, name }: Pick<ValueTest, "of" | "name">,
  matcher: Matcher,
): Piece | "never" | undefined {
  const matchers = of === "header" ? piece.headers : piece.query;
  const joint = both(matchers.get(name), matcher);
  if (joint === "never" || joint === undefined) return joint;
  const map = new Map(matchers).set(name, joint);
  return of === "header" ? { ...piece, headers: map } : { ...piece, query: map };
}
