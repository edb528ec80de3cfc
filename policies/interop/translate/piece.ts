import type { Matcher } from "../../model/index.ts";
import type { DraftJwt } from "../draft/draft.ts";
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
  /** `hosts` are those known of all that end so. */
  readonly hostSuffix?: string;
  /** All must hold. */
  readonly tests: readonly ValueTest[];
  /** Tokens one of which is asked for; absent: none is. */
  readonly tokens?: readonly DraftJwt[];
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
  readonly jwt?: DraftJwt;
  /** Request lines that are carved out. */
  readonly except: readonly string[];
}

/** Pieces together, and why they are less than was asked, if they are. */
export interface Pieces {
  readonly pieces: readonly Piece[];
  readonly losses: readonly Loss[];
}

/** `inexpressible`: requests are left out that no rule can name. The others are as in `PathSet` and `ValueTest`. */
export type Loss = "long-number" | "long-value" | "host" | "inexpressible";

/** Every request. */
export const EVERYTHING: Condition = { methods: "ANY", paths: { patterns: ["/**"] }, tests: [] };

/** What an allow of the condition grants. */
export function piecesOf(condition: Condition): Pieces {
  const { methods, paths, hosts, tests, opaque } = condition;
  const losses: Loss[] = [];
  if (paths === undefined || opaque === true) return { pieces: [], losses: ["inexpressible"] };
  if (condition.hostSuffix !== undefined) losses.push("host");
  if (paths.shortage !== undefined) losses.push(paths.shortage === "other" ? "inexpressible" : paths.shortage);
  const start: Piece = {
    methods,
    paths: paths.patterns,
    ...(hosts === undefined ? {} : { hosts }),
    headers: new Map(),
    query: new Map(),
    except: [],
  };
  let pieces: readonly Piece[] =
    paths.patterns.length === 0 || methods.length === 0 || hosts?.length === 0 ? [] : [start];
  for (const test of tests) {
    if (test.shortage !== undefined) losses.push(test.shortage === "other" ? "inexpressible" : test.shortage);
    const next = pieces.flatMap((piece) => test.holds.map((matcher) => narrowed(piece, test, matcher)));
    if (next.includes(undefined)) losses.push("inexpressible");
    pieces = next.filter((piece) => piece !== undefined && piece !== "never");
  }
  if (condition.tokens === undefined) return { pieces, losses: [...new Set(losses)] };
  return withTokens({ pieces, losses: [...new Set(losses)] }, condition.tokens);
}

/** The pieces where one of these tokens is there as well. */
export function withTokens({ pieces, losses }: Pieces, tokens: readonly DraftJwt[]): Pieces {
  const next = pieces.flatMap((piece) => tokens.map((jwt) => withToken(piece, jwt)));
  const said = next.filter((piece) => piece !== undefined);
  return {
    pieces: said,
    losses: said.length === next.length ? losses : [...new Set([...losses, "inexpressible" as const])],
  };
}

/** A rule asks for one token; two of one provider are one whose claims are those of both. */
function withToken(piece: Piece, jwt: DraftJwt): Piece | undefined {
  const before = piece.jwt;
  if (before === undefined) return { ...piece, jwt };
  const claims = { ...before.claims, ...jwt.claims };
  const shared = Object.keys(jwt.claims ?? {}).filter((name) => before.claims?.[name] !== undefined);
  const differ = shared.some((name) => JSON.stringify(before.claims?.[name]) !== JSON.stringify(jwt.claims?.[name]));
  return before.provider !== jwt.provider || differ ? undefined : { ...piece, jwt: { provider: jwt.provider, claims } };
}

/** Whether a condition is about requests to a host. */
export function holdsForHost({ hosts, hostSuffix }: Condition, host: string): boolean {
  return hosts === undefined || hosts.includes(host) || (hostSuffix !== undefined && host.endsWith(hostSuffix));
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
