import { covers, isLiteral, isPattern } from "./path-set.ts";
import { type Condition, holdsForHost, type Loss, type Methods, narrowed, type Piece, type Pieces } from "./piece.ts";
import { satisfies, type ValueTest } from "./value-tests.ts";

/** The most pieces that one grant is cut into; beyond, what is left over is dropped. */
const MOST_PIECES = 48;

/** What pieces grant without what the conditions hold: never more than that, and where less, with the loss. */
export function without(from: Pieces, conditions: readonly Condition[]): Pieces {
  let pieces = from.pieces;
  const losses = new Set<Loss>(from.losses);
  for (const condition of conditions) {
    const cut = pieces.map((piece) => withoutOne(piece, condition));
    for (const { losses: lost } of cut) for (const loss of lost) losses.add(loss);
    pieces = cut.flatMap((one) => one.pieces);
    if (pieces.length > MOST_PIECES) {
      pieces = pieces.slice(0, MOST_PIECES);
      losses.add("inexpressible");
    }
  }
  return { pieces, losses: [...losses] };
}

const whole = (piece: Piece): Pieces => ({ pieces: [piece], losses: [] });

function withoutOne(piece: Piece, condition: Condition): Pieces {
  if (disjoint(piece, condition)) return whole(piece);
  const paths = condition.paths;
  // What cannot be said is taken to hold for every path, so that nothing is granted that it forbids.
  const patterns = atMost(paths);
  // That a token is not there cannot be asked for.
  const opaque = condition.opaque === true || condition.tokens !== undefined;
  const blurred = patterns !== paths?.patterns || opaque || hostsMatter(piece, condition);
  const kept = withoutRequests(piece, condition.methods, patterns);
  const failing = opaque ? { pieces: [], losses: [] } : withFailingTest(piece, condition.tests);
  const losses = [...kept.losses, ...failing.losses, ...(blurred ? ["inexpressible" as const] : [])];
  return { pieces: [...kept.pieces, ...failing.pieces], losses };
}

/** Patterns of all paths that may be meant. */
function atMost(paths: Condition["paths"]): readonly string[] {
  if (paths === undefined || paths.shortage === "other") return ["/**"];
  if (paths.shortage === undefined) return paths.patterns;
  return paths.patterns.map((pattern) => pattern.replaceAll(":int}", "}"));
}

/** Whether the condition names hosts that the piece is not inside of: the rest of the hosts has no name. */
function hostsMatter({ hosts }: Piece, condition: Condition): boolean {
  return condition.hosts !== undefined && !(hosts?.every((host) => holdsForHost(condition, host)) ?? false);
}

function disjoint(piece: Piece, condition: Condition): boolean {
  const { methods, tests, paths } = condition;
  if (common(piece.methods, methods).length === 0) return true;
  if (piece.hosts !== undefined && !piece.hosts.some((host) => holdsForHost(condition, host))) return true;
  if (tests.some((test) => contradicts(piece, test))) return true;
  if (paths === undefined || paths.shortage === "other") return false;
  return !piece.paths.some((own) => atMost(paths).some((other) => mayMeet(own, other)));
}

function contradicts(piece: Piece, test: ValueTest): boolean {
  const matcher = (test.of === "header" ? piece.headers : piece.query).get(test.name);
  if (matcher === undefined || test.shortage !== undefined || test.holds.length === 0) return false;
  return test.holds.every((one) => {
    const next = narrowed(piece, test, one);
    return next === "never";
  });
}

/** Whether a test holds for all of the piece. */
function implied(piece: Piece, test: ValueTest): boolean {
  const matcher = (test.of === "header" ? piece.headers : piece.query).get(test.name);
  if (matcher === undefined || test.shortage !== undefined) return false;
  const values = matcher.kind === "equals" ? [matcher.value] : matcher.kind === "in" ? matcher.values : undefined;
  if (values !== undefined) return values.every((value) => test.holds.some((one) => satisfies(one, value)));
  return test.holds.some(
    (one) => (one.kind === "present" && matcher.kind !== "absent") || JSON.stringify(one) === JSON.stringify(matcher),
  );
}

function mayMeet(a: string, b: string): boolean {
  if (isLiteral(a)) return covers(b, a);
  return isLiteral(b) ? covers(a, b) : true;
}

function common(a: Methods, b: Methods): Methods {
  if (a === "ANY") return b;
  return b === "ANY" ? a : a.filter((method) => b.includes(method));
}

/** The piece where at least one of the tests does not hold. */
function withFailingTest(piece: Piece, tests: readonly ValueTest[]): Pieces {
  const pieces: Piece[] = [];
  const losses: Loss[] = [];
  for (const test of tests) {
    if (implied(piece, test)) continue;
    if (test.fails === undefined) losses.push("inexpressible");
    for (const matcher of test.fails ?? []) {
      const next = narrowed(piece, test, matcher);
      if (next === undefined) losses.push("inexpressible");
      else if (next !== "never") pieces.push(next);
    }
  }
  return { pieces, losses };
}

/**
 * The piece on all other methods and paths. An exception reads as a deny, which reaches further than what is taken away:
 * over HEAD where GET is, and over the path with and without its last slash. What it takes too much comes back by itself.
 */
function withoutRequests(piece: Piece, methods: Methods, patterns: readonly string[]): Pieces {
  const shared = common(piece.methods, methods);
  const untouched = otherMethods(piece, methods);
  if (piece.methods !== "ANY" || methods === "ANY") {
    const onShared = withoutPaths({ ...piece, methods: shared }, patterns);
    return { pieces: [...untouched, ...onShared.pieces], losses: onShared.losses };
  }
  const word = methods.join("|");
  const outside: Piece = { ...piece, except: [...piece.except, ...patterns.map((pattern) => `${word} ${pattern}`)] };
  const back = givenBack(piece.paths, patterns);
  const inside = back.paths.length === 0 ? [] : [{ ...piece, methods: shared, paths: back.paths }];
  return { pieces: [outside, ...untouched, ...inside], losses: back.lost ? ["inexpressible"] : [] };
}

/** What the piece grants on methods that are not taken away, where those can be named. */
function otherMethods(piece: Piece, methods: Methods): readonly Piece[] {
  if (methods === "ANY") return [];
  if (piece.methods === "ANY")
    return methods.includes("GET") && !methods.includes("HEAD") ? [{ ...piece, methods: ["HEAD"] }] : [];
  const rest = piece.methods.filter((method) => !methods.includes(method));
  return rest.length === 0 ? [] : [{ ...piece, methods: rest }];
}

/** The piece, whose methods are all taken away on these paths, on the other paths. */
function withoutPaths(piece: Piece, patterns: readonly string[]): Pieces {
  const taken = (path: string): boolean => patterns.some((pattern) => covers(pattern, path));
  if (patterns.includes("/**")) return { pieces: [], losses: [] };
  const literal = piece.paths.filter((path) => isLiteral(path) && !taken(path));
  const open = piece.paths.filter((path) => !isLiteral(path) && !patterns.includes(path));
  const word = piece.methods === "ANY" ? "ANY" : piece.methods.join("|");
  const pieces: Piece[] = literal.length === 0 ? [] : [{ ...piece, paths: literal }];
  if (open.length === 0) return { pieces, losses: [] };
  pieces.push({ ...piece, paths: open, except: [...piece.except, ...patterns.map((pattern) => `${word} ${pattern}`)] });
  const back = givenBack(open, patterns);
  if (back.paths.length > 0) pieces.push({ ...piece, paths: back.paths });
  const losses = [...(back.lost ? (["inexpressible"] as const) : [])];
  return { pieces, losses };
}

interface Returned {
  readonly paths: readonly string[];
  readonly lost: boolean;
}

/** Paths that an exception takes although the patterns do not. */
function givenBack(open: readonly string[], patterns: readonly string[]): Returned {
  const paths: string[] = [];
  let lost = false;
  for (const candidate of new Set(patterns.flatMap(slashVariants))) {
    if (patterns.some((pattern) => pattern === candidate || isSame(pattern, candidate))) continue;
    if (isLiteral(candidate)) {
      if (open.some((path) => covers(path, candidate))) paths.push(candidate);
    } else if (open.includes("/**")) paths.push(candidate);
    else if (open.some((path) => mayMeet(path, candidate))) lost = true;
  }
  return { paths, lost };
}

/** Other spellings that a deny of the pattern reaches. */
function slashVariants(pattern: string): readonly string[] {
  const variants = pattern.endsWith("/**")
    ? [pattern.slice(0, -3)]
    : pattern.endsWith("/")
      ? [pattern.slice(0, -1)]
      : [`${pattern}/`];
  return variants.filter((variant) => variant !== "" && isPattern(variant));
}

/** Whether the pattern covers all of the candidate; a pattern with parameters is tried with its own text as a value. */
function isSame(pattern: string, candidate: string): boolean {
  if (isLiteral(candidate)) return covers(pattern, candidate);
  return pattern.endsWith("/**") && candidate === `${pattern.slice(0, -2)}`;
}
