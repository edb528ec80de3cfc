import { patternMatches, segmentMatches } from "../match/pattern.ts";
import type { PathPattern, PatternSegment, Rule } from "../model/index.ts";
import type { Lack } from "./explanation.ts";
import { segmentText } from "./matcher-text.ts";

/** What keeps decoded segments from a pattern: a trailing slash, or the first segment that differs. */
export function pathLacks(effect: Rule["effect"], pattern: PathPattern, segments: readonly string[]): readonly Lack[] {
  if (patternMatches(effect, pattern, segments)) return [];
  if (effect === "allow" && differsInSlashOnly(pattern, segments)) {
    return [{ kind: "trailing-slash", expected: segments.at(-1) === "" ? "absent" : "present", unknown: false }];
  }
  return firstDifference(pattern.segments, segments);
}

function differsInSlashOnly(pattern: PathPattern, segments: readonly string[]): boolean {
  const other = segments.at(-1) === "" && segments.length > 1 ? segments.slice(0, -1) : [...segments, ""];
  return patternMatches("allow", pattern, other);
}

function firstDifference(pattern: readonly PatternSegment[], segments: readonly string[]): readonly Lack[] {
  const pairs = aligned(pattern, segments);
  const differing = pairs.filter(({ part, got }) => !fits(part, got));
  const [first] = differing;
  // INVARIANT: a pattern that does not match differs somewhere, but for a `**` that stands for too few segments.
  const { part, got, index } = first ?? { part: REST, got: undefined, index: segments.length };
  return [
    {
      kind: "segment",
      position: index + 1,
      expected: part === undefined ? "" : segmentText(part),
      got,
      isEnd: part === undefined,
      differing: Math.max(1, differing.length),
      unknown: false,
    },
  ];
}

const REST: PatternSegment = { kind: "rest" };

interface Pair {
  /** Absent where the pattern has ended. */
  readonly part: PatternSegment | undefined;
  readonly got: string | undefined;
  readonly index: number;
}

/** Pattern and path side by side; what `**` stands for is left out. */
function aligned(pattern: readonly PatternSegment[], segments: readonly string[]): readonly Pair[] {
  const rest = pattern.findIndex((part) => part.kind === "rest");
  const side = (parts: readonly PatternSegment[], start: number, length: number): readonly Pair[] =>
    Array.from({ length }, (_, at) => ({ part: parts[at], got: segments[start + at], index: start + at }));
  if (rest === -1) return side(pattern, 0, Math.max(pattern.length, segments.length));
  const tail = pattern.slice(rest + 1);
  const start = Math.max(rest + 1, segments.length - tail.length);
  return [...side(pattern, 0, rest), ...side(tail, start, tail.length)];
}

function fits(part: PatternSegment | undefined, got: string | undefined): boolean {
  return part !== undefined && got !== undefined && segmentMatches(part, got);
}
