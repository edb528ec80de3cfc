import { literalSegment, type PathSet, prefixPatterns, withDistinctNames } from "./path-set.ts";
import { alternativesOf, literalOf, spelled, type Token, textsOf } from "./regex-tokens.ts";
import {
  type CharacterSet,
  characterSet,
  complement,
  DIGITS,
  HEX,
  includesSet,
  parseRegex,
  SLUG,
  sameSet,
} from "./regex-tree.ts";

const SLASH = 0x2f;
const IN_SEGMENT: CharacterSet = complement(characterSet("/"));
/** The most values of one segment that are written out. */
const MOST_VALUES = 32;

/** How a regular expression is searched for: `whole`, or the first match from the left, whose span must be everything. */
export type RegexReading = "whole" | "leftmost-first";

/**
 * Paths that a regular expression covers, as patterns. `undefined` where patterns cannot say it without allowing more.
 * `shortage` tells which paths are left out.
 */
export function pathsOfRegex(text: string, reading: RegexReading): PathSet | undefined {
  const tree = parseRegex(text);
  const alternatives = tree === undefined ? undefined : alternativesOf(tree);
  if (alternatives === undefined) return undefined;
  if (reading === "leftmost-first" && alternatives.length > 1 && !everyAlternativeIsLiteral(alternatives))
    return undefined;
  const kept = reading === "whole" ? alternatives : withoutShadowed(alternatives);
  const found = kept.map(pathsOfTokens);
  const patterns = new Set<string>();
  let shortage: PathSet["shortage"];
  for (const one of found) {
    if (one === undefined) return undefined;
    for (const pattern of one.patterns) patterns.add(withDistinctNames(pattern));
    shortage ??= one.shortage;
  }
  return { patterns: [...patterns], ...(shortage === undefined ? {} : { shortage }) };
}

const everyAlternativeIsLiteral = (alternatives: readonly (readonly Token[])[]): boolean =>
  alternatives.every((tokens) => spelled(tokens) !== undefined);

/** Of literal alternatives those that no earlier one is the beginning of: the earlier one is found and is too short. */
function withoutShadowed(alternatives: readonly (readonly Token[])[]): readonly (readonly Token[])[] {
  const texts = alternatives.map((tokens) => spelled(tokens) ?? "");
  return alternatives.filter((_, at) =>
    texts.slice(0, at).every((earlier) => !(texts[at] ?? "").startsWith(earlier) || earlier === texts[at]),
  );
}

function pathsOfTokens(tokens: readonly Token[]): PathSet | undefined {
  const [first, ...rest] = tokens;
  if (first === undefined || literalOf(first) !== "/")
    return spansEverything(tokens) ? { patterns: ["/**"] } : undefined;
  return walk([""], rest, undefined);
}

function spansEverything([only, ...more]: readonly Token[]): boolean {
  return (
    only !== undefined &&
    more.length === 0 &&
    only.max === Number.POSITIVE_INFINITY &&
    only.min <= 1 &&
    hasSlash(only) &&
    includesSet(only.set, IN_SEGMENT)
  );
}

const hasSlash = ({ set }: Token): boolean => set.codes.has(SLASH);

/** Reads segment by segment; `bases` are the patterns so far, without the slash that follows. */
function walk(bases: readonly string[], tokens: readonly Token[], shortage: PathSet["shortage"]): PathSet | undefined {
  const end = tokens.findIndex((token) => hasSlash(token));
  const segment = end === -1 ? tokens : tokens.slice(0, end);
  const stop = tokens[end];
  if (stop !== undefined && literalOf(stop) !== "/")
    return wildcard(bases, segment, stop, tokens.slice(end + 1), shortage);
  const read = segmentPatterns(segment);
  if (read === undefined) return undefined;
  const last = stop === undefined;
  // A path with an empty segment inside is refused before any rule.
  const usable = last ? read.patterns : read.patterns.filter((pattern) => pattern !== "");
  const next = bases.flatMap((base) => usable.map((pattern) => `${base}/${pattern}`));
  const short = shortage ?? read.shortage;
  if (last) return { patterns: next, ...(short === undefined ? {} : { shortage: short }) };
  return walk(next, tokens.slice(end + 1), short);
}

/** `.*` and `.+`: at the end of the path, or between two slashes. */
function wildcard(
  bases: readonly string[],
  before: readonly Token[],
  star: Token,
  after: readonly Token[],
  shortage: PathSet["shortage"],
): PathSet | undefined {
  const prefix = spelled(before);
  const whole = star.max === Number.POSITIVE_INFINITY && star.min <= 1 && includesSet(star.set, IN_SEGMENT);
  if (prefix === undefined || !whole) return undefined;
  const literal = literalSegment(prefix);
  if (literal === undefined) return undefined;
  const short = shortage === undefined ? {} : { shortage };
  if (after.length === 0)
    return { patterns: bases.flatMap((base) => prefixPatterns(base, literal, star.min === 1)), ...short };
  const [slash, ...rest] = after;
  if (prefix !== "" || slash === undefined || literalOf(slash) !== "/" || rest.some(hasWildcard)) return undefined;
  return walk(
    bases.map((base) => `${base}/**`),
    rest,
    shortage,
  );
}

const hasWildcard = (token: Token): boolean => hasSlash(token) && literalOf(token) === undefined;

interface SegmentPatterns {
  readonly patterns: readonly string[];
  readonly shortage?: PathSet["shortage"];
}

function segmentPatterns(tokens: readonly Token[]): SegmentPatterns | undefined {
  const text = spelled(tokens);
  if (text !== undefined) return fromLiterals([text], undefined);
  if (isUuid(tokens)) return { patterns: ["{id:uuid}"] };
  const typed = withParameter(tokens);
  if (typed !== undefined) return typed;
  const listed = textsOf(tokens, MOST_VALUES);
  return listed === undefined || !listed.all ? undefined : fromLiterals(listed.texts, undefined);
}

function fromLiterals(
  texts: readonly string[],
  shortage: PathSet["shortage"] | undefined,
): SegmentPatterns | undefined {
  const patterns = texts.map(literalSegment);
  const known = patterns.filter((pattern) => pattern !== undefined);
  if (known.length !== patterns.length) return undefined;
  return { patterns: known, ...(shortage === undefined ? {} : { shortage }) };
}

/** One run without an end, between literal texts, as a parameter of the widest type that is inside the run's set. */
function withParameter(tokens: readonly Token[]): SegmentPatterns | undefined {
  const at = tokens.findIndex((token) => literalOf(token) === undefined);
  const run = tokens[at];
  const [prefix, suffix] = [spelled(tokens.slice(0, at)), spelled(tokens.slice(at + 1))];
  if (run === undefined || prefix === undefined || suffix === undefined || run.min > 1) return undefined;
  const [before, after] = [literalSegment(prefix), literalSegment(suffix)];
  const type = typeOf(run);
  if (before === undefined || after === undefined || type === undefined) return undefined;
  const empty = run.min === 0 ? [`${before}${after}`] : [];
  const patterns = [...empty, `${before}{x${type.name}}${after}`];
  return { patterns, ...(type.shortage === undefined ? {} : { shortage: type.shortage }) };
}

function typeOf({ set, max }: Token): { readonly name: string; readonly shortage?: PathSet["shortage"] } | undefined {
  if (sameSet(set, DIGITS) && max === 19) return { name: ":int" };
  if (max !== Number.POSITIVE_INFINITY) return undefined;
  if (includesSet(set, IN_SEGMENT)) return { name: "" };
  if (sameSet(set, HEX)) return { name: ":hex" };
  if (sameSet(set, DIGITS)) return { name: ":int", shortage: "long-number" };
  if (includesSet(set, SLUG)) return { name: ":slug", shortage: "other" };
  if (includesSet(set, HEX)) return { name: ":hex", shortage: "other" };
  return includesSet(set, DIGITS) ? { name: ":int", shortage: "other" } : undefined;
}

/** Eight, four, four, four and twelve hexadecimal digits of either case. */
function isUuid(tokens: readonly Token[]): boolean {
  const lengths = [8, 4, 4, 4, 12].flatMap((length) => [length, -1]).slice(0, -1);
  return (
    tokens.length === lengths.length &&
    tokens.every((token, at) => {
      const length = lengths[at];
      if (length === -1) return literalOf(token) === "-";
      return token.min === length && token.max === length && sameSet(token.set, HEX);
    })
  );
}
