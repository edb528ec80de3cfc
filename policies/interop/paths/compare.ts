import type { PatternSegment } from "../../model/index.ts";
import { parsePathPattern } from "../../syntax/path-pattern.ts";

type Segments = readonly PatternSegment[];

const segmentsOf = (pattern: string): Segments => parsePathPattern(pattern, 0).value?.segments ?? [];

/** Whether a pattern certainly matches all that another does. Reads both as an allow's. */
export function covers(wide: string, narrow: string): boolean {
  return wide === narrow || wide === "/**" || coversFrom(segmentsOf(wide), segmentsOf(narrow));
}

function coversFrom([wide, ...wider]: Segments, [narrow, ...narrower]: Segments): boolean {
  if (wide === undefined || narrow === undefined) return wide === narrow;
  if (wide.kind === "rest") {
    const rest = [narrow, ...narrower];
    return rest.some((_, index) => coversFrom(wider, rest.slice(index + 1)));
  }
  return segmentCovers(wide, narrow) && coversFrom(wider, narrower);
}

function segmentCovers(wide: PatternSegment, narrow: PatternSegment): boolean {
  if (wide.kind === "literal") return narrow.kind === "literal" && narrow.value === wide.value;
  if (wide.kind === "rest" || wide.type !== "any" || narrow.kind === "rest") return false;
  if (narrow.kind === "literal") return isBetween(narrow.value, wide);
  return narrow.prefix.startsWith(wide.prefix) && narrow.suffix.endsWith(wide.suffix);
}

function isBetween(value: string, { prefix, suffix }: { readonly prefix: string; readonly suffix: string }): boolean {
  return value.length > prefix.length + suffix.length && value.startsWith(prefix) && value.endsWith(suffix);
}

/** Whether two patterns may match one path; certain only where they do not. Reads both as an allow's. */
export function mayMeet(one: string, other: string): boolean {
  return meetFrom(segmentsOf(one), segmentsOf(other));
}

function meetFrom(a: Segments, b: Segments): boolean {
  const [left, right] = [endsOf(a), endsOf(b)];
  if (!left.open && !right.open) return a.length === b.length && pairsMeet(a, b);
  if (!left.open && left.head.length < shortest(right)) return false;
  if (!right.open && right.head.length < shortest(left)) return false;
  return pairsMeet(left.head, right.head) && pairsMeet(left.tail.toReversed(), right.tail.toReversed());
}

/** A pattern before and after its `**`; one without is both from either end. */
function endsOf(segments: Segments): { readonly open: boolean; readonly head: Segments; readonly tail: Segments } {
  const rest = segments.findIndex(({ kind }) => kind === "rest");
  if (rest === -1) return { open: false, head: segments, tail: segments };
  return { open: true, head: segments.slice(0, rest), tail: segments.slice(rest + 1) };
}

const shortest = ({ head, tail }: { readonly head: Segments; readonly tail: Segments }): number =>
  head.length + 1 + tail.length;

/** Whether the segments that both have may be the same. */
function pairsMeet(a: Segments, b: Segments): boolean {
  return a.every((one, index) => {
    const other = b[index];
    return other === undefined || segmentsMeet(one, other);
  });
}

function segmentsMeet(a: PatternSegment, b: PatternSegment): boolean {
  if (a.kind === "rest" || b.kind === "rest") return true;
  if (a.kind === "literal" && b.kind === "literal") return a.value === b.value;
  if (a.kind === "literal") return b.kind === "parameter" && isBetween(a.value, b);
  if (b.kind === "literal") return isBetween(b.value, a);
  const [short, long] = a.prefix.length < b.prefix.length ? [a, b] : [b, a];
  return long.prefix.startsWith(short.prefix);
}

/**
 * What a deny's reading of a pattern matches beyond an allow's, but for methods: the other spelling of a trailing slash,
 * and `**` standing for no segment at all.
 */
export function deniedBeyond(pattern: string): readonly string[] {
  const spellings = spellingsOf(pattern);
  const beyond = spellings.flatMap((one) => [one, ...withOtherSlash(one)]).filter((one) => one !== "" && one !== "//");
  return [...new Set(beyond)].filter((one) => !covers(pattern, one));
}

/** The pattern itself, and the one without its `**`. */
function spellingsOf(pattern: string): readonly string[] {
  const segments = pattern.split("/").slice(1);
  const rest = segments.indexOf("**");
  if (rest === -1) return [pattern];
  const without = `/${segments.filter((_, index) => index !== rest).join("/")}`;
  return [pattern, without];
}

function withOtherSlash(pattern: string): readonly string[] {
  if (pattern === "/" || pattern.endsWith("/**")) return [];
  // Whatever ends in a slash is, without that, whatever ends in a segment.
  if (pattern.endsWith("/**/")) return [`${pattern}{last}`, `${pattern.slice(0, -"**/".length)}{last}`];
  return [pattern.endsWith("/") ? pattern.slice(0, -1) : `${pattern}/`];
}
