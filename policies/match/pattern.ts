import type { PathPattern, PatternSegment, Rule } from "../model/index.ts";
import { foldAscii } from "../path/characters.ts";
import { parameterMatches } from "./parameter.ts";

/**
 * Whether decoded segments are what a pattern means. In a deny a trailing slash on either side is ignored and `**` may
 * stand for no segment at all, so that `/p/**` includes `/p`.
 */
export function patternMatches(effect: Rule["effect"], pattern: PathPattern, segments: readonly string[]): boolean {
  if (effect === "allow") return segmentsMatch(pattern.segments, segments, 1);
  return segmentsMatch(withoutTrailingSlash(pattern.segments), withoutEmptyLast(segments), 0);
}

/** Whether a pattern covers every path there is in a deny. */
export function isEverything(pattern: PathPattern): boolean {
  return pattern.segments.length === 1 && pattern.segments[0]?.kind === "rest";
}

/** The pattern without the empty literal that stands for a trailing slash. */
export function withoutTrailingSlash(pattern: readonly PatternSegment[]): readonly PatternSegment[] {
  const last = pattern.at(-1);
  return last?.kind === "literal" && last.value === "" ? pattern.slice(0, -1) : pattern;
}

/** The segments without the empty last one that stands for a trailing slash. */
export function withoutEmptyLast(segments: readonly string[]): readonly string[] {
  return segments.at(-1) === "" ? segments.slice(0, -1) : segments;
}

/** The pattern as it reads for a workload whose paths are case-insensitive. */
export function foldPattern(pattern: PathPattern): PathPattern {
  return { text: pattern.text, segments: pattern.segments.map(foldSegment) };
}

/** Whether one segment of a pattern that is not `**` matches one decoded segment. */
export function segmentMatches(pattern: PatternSegment, segment: string): boolean {
  switch (pattern.kind) {
    case "literal":
      return pattern.value === segment;
    case "parameter":
      return parameterMatches(pattern, segment);
    case "rest":
      return false;
  }
}

function segmentsMatch(pattern: readonly PatternSegment[], segments: readonly string[], leastRest: number): boolean {
  const rest = pattern.findIndex((segment) => segment.kind === "rest");
  if (rest === -1) return pattern.length === segments.length && pattern.every((part, at) => fits(part, segments[at]));
  const tail = pattern.slice(rest + 1);
  if (segments.length < rest + tail.length + leastRest) return false;
  const tailStart = segments.length - tail.length;
  return (
    pattern.slice(0, rest).every((part, at) => fits(part, segments[at])) &&
    tail.every((part, at) => fits(part, segments[tailStart + at]))
  );
}

function fits(pattern: PatternSegment, segment: string | undefined): boolean {
  return segment !== undefined && segmentMatches(pattern, segment);
}

function foldSegment(segment: PatternSegment): PatternSegment {
  switch (segment.kind) {
    case "literal":
      return { kind: "literal", value: foldAscii(segment.value) };
    case "parameter":
      return { ...segment, prefix: foldAscii(segment.prefix), suffix: foldAscii(segment.suffix) };
    case "rest":
      return segment;
  }
}
