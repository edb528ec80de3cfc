import { segmentMatches, withoutTrailingSlash } from "../match/pattern.ts";
import type { PathPattern, PatternSegment, Rule } from "../model/index.ts";

/**
 * How much of a pattern has been read: `0` to the number of segments for those before `**`, then, from `REST` on, `**`
 * with nothing in it yet, `**` with something, and the segments after it.
 */
export type PatternStep = number;

const REST = 1_000_000;

/** One way on: to where, on which segment; on any where none is named. */
export interface Way {
  readonly segment: PatternSegment | undefined;
  readonly to: PatternStep;
}

interface Shape {
  readonly head: readonly PatternSegment[];
  readonly tail: readonly PatternSegment[] | undefined;
}

const SHAPES = new WeakMap<PathPattern, { allow?: Shape; deny?: Shape }>();

/** A pattern's segments before and after `**`, as a rule of that effect reads them. */
function shapeOf(pattern: PathPattern, effect: Rule["effect"]): Shape {
  const known = SHAPES.get(pattern) ?? {};
  SHAPES.set(pattern, known);
  known[effect] ??= split(effect === "deny" ? withoutTrailingSlash(pattern.segments) : pattern.segments);
  return known[effect];
}

function split(segments: readonly PatternSegment[]): Shape {
  const rest = segments.findIndex(({ kind }) => kind === "rest");
  return rest === -1
    ? { head: segments, tail: undefined }
    : { head: segments.slice(0, rest), tail: segments.slice(rest + 1) };
}

/** Where reading begins. */
export function startOf(pattern: PathPattern, effect: Rule["effect"]): PatternStep {
  return advance(shapeOf(pattern, effect), effect, 0);
}

/** A deny takes `**` for nothing at all, too. */
function advance({ head, tail }: Shape, effect: Rule["effect"], read: number): PatternStep {
  if (read < head.length || tail === undefined) return read;
  return effect === "deny" ? REST + 1 : REST;
}

/** The ways on from a place. */
export function steps(pattern: PathPattern, effect: Rule["effect"], at: PatternStep): readonly Way[] {
  const shape = shapeOf(pattern, effect);
  const tail = shape.tail ?? [];
  if (at < REST) {
    const segment = shape.head[at];
    return segment === undefined ? [] : [{ segment, to: advance(shape, effect, at + 1) }];
  }
  if (at === REST) return [{ segment: undefined, to: REST + 1 }];
  const after = tail[at - REST - 1];
  const on: readonly Way[] = after === undefined ? [] : [{ segment: after, to: at + 1 }];
  return at === REST + 1 ? [{ segment: undefined, to: REST + 1 }, ...on] : on;
}

/** The places that one segment leads to. */
export function next(
  pattern: PathPattern,
  effect: Rule["effect"],
  at: PatternStep,
  segment: string,
): readonly PatternStep[] {
  return steps(pattern, effect, at)
    .filter((way) => way.segment === undefined || segmentMatches(way.segment, segment))
    .map(({ to }) => to);
}

/** Whether the pattern is whole. */
export function accepts(pattern: PathPattern, effect: Rule["effect"], at: PatternStep): boolean {
  const { head, tail } = shapeOf(pattern, effect);
  return tail === undefined ? at === head.length : at === REST + 1 + tail.length;
}
