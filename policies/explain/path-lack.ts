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
  const rest = pattern.findIndex((part) => part.kind === "rest");
  const head = rest === -1 ? pattern : pattern.slice(0, rest);
  for (const [index, part] of head.entries()) {
    const got = segments[index];
    if (got === undefined || !segmentMatches(part, got)) return [segmentLack(index, segmentText(part), got)];
  }
  if (rest === -1) return [segmentLack(head.length, "the end of the path", segments[head.length])];
  const tail = pattern.slice(rest + 1);
  const start = Math.max(head.length + 1, segments.length - tail.length);
  for (const [index, part] of tail.entries()) {
    const got = segments[start + index];
    if (got === undefined || !segmentMatches(part, got)) return [segmentLack(start + index, segmentText(part), got)];
  }
  return [segmentLack(head.length, "**", segments[head.length])];
}

function segmentLack(index: number, expected: string, got: string | undefined): Lack {
  return { kind: "segment", position: index + 1, expected, got, unknown: false };
}
