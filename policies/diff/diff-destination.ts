import type { Workload } from "../model/index.ts";
import {
  BROADER,
  type CallerClass,
  comparison,
  DestinationSpace,
  NARROWER,
  type Side,
  type SpaceFinding,
  type SpaceLine,
  type Universe,
} from "../space/index.ts";
import { directionOf, joinDirections } from "./direction.ts";
import type { Replay } from "./replay.ts";
import type { CallerDiff, DestinationDiff, DiffWitness, LineDiff } from "./report.ts";

/** What destinations are compared with. */
export interface DiffContext {
  readonly sides: readonly [Side, Side];
  readonly universe: Universe;
  readonly callers: readonly CallerClass[];
  readonly replay: Replay;
  /** Whether both sides know the same callers by the same labels. */
  readonly sameRegistry: boolean;
}

const OLD = 0;
const NEW = 1;

/** Compares one destination; nothing where nothing about it changed. */
export function diffDestination(identity: string, context: DiffContext): DestinationDiff | undefined {
  const space = new DestinationSpace(context.universe, context.sides, identity, context.callers);
  const [old, next] = space.workloads;
  const workload = next ?? old;
  if (workload === undefined) return undefined;
  const changed = changedLines(space.lines);
  const settings = settingsOf(old, next);
  if (context.sameRegistry && changed.length === 0 && settings.isSame) return undefined;
  const callers = space.ask(comparison()).map((finding) => callerDiff(finding, space.lines, context.replay));
  if (changed.length === 0 && callers.length === 0 && settings.isSame) return undefined;
  return {
    destination: `${workload.namespace}/${workload.name}`,
    identity,
    change: old === undefined ? "added" : next === undefined ? "removed" : "kept",
    ...settings.shown,
    direction: joinDirections(callers.map(({ direction }) => direction)),
    callers,
    lines: overAll(changed, callers),
    exact: space.exact,
  };
}

function settingsOf(
  old: Workload | undefined,
  next: Workload | undefined,
): { readonly isSame: boolean; readonly shown: Pick<DestinationDiff, "mode" | "pathsRead"> } {
  if (old === undefined || next === undefined) return { isSame: false, shown: {} };
  const mode = old.mode === next.mode ? {} : { mode: { old: old.mode, new: next.mode } };
  const same =
    old.paths.caseInsensitive === next.paths.caseInsensitive &&
    old.paths.matrixParameters === next.paths.matrixParameters;
  const shown = { ...mode, ...(same ? {} : { pathsRead: "differently" as const }) };
  return { isSame: Object.keys(shown).length === 0, shown };
}

/** A line that only one side has, or that differs: by its id. */
interface ChangedLine {
  readonly id: string;
  readonly change: LineDiff["change"];
  readonly effect: LineDiff["effect"];
  readonly span: LineDiff["span"];
}

function changedLines(lines: readonly SpaceLine[]): readonly ChangedLine[] {
  const onOneSide = lines.filter(({ named }) => named.some((names) => names.length === 0));
  const ids = new Map<string, ChangedLine>();
  for (const line of onOneSide) for (const each of describe(line)) merge(ids, each);
  return [...ids.values()];
}

function describe({ named, rule }: SpaceLine): readonly ChangedLine[] {
  const of = (side: number, change: "added" | "removed"): readonly ChangedLine[] =>
    (named[side] ?? []).map(({ id, request, rule: own }) => ({
      id,
      change,
      effect: rule.effect,
      span: request?.span ?? own.span,
    }));
  return [...of(NEW, "added"), ...of(OLD, "removed")];
}

function merge(ids: Map<string, ChangedLine>, line: ChangedLine): void {
  const known = ids.get(line.id);
  if (known === undefined) ids.set(line.id, line);
  else if (known.change !== line.change)
    ids.set(line.id, { ...known, change: "changed", span: (known.change === "added" ? known : line).span });
}

function callerDiff({ callers, all, lines }: SpaceFinding, known: readonly SpaceLine[], replay: Replay): CallerDiff {
  const own = witnesses(all, replay);
  const diffs = new Map<string, LineDiff>();
  for (const [number, examples] of lines) {
    const line = known[number];
    if (line === undefined) continue;
    for (const each of causes(line, examples, replay)) diffs.set(each.id, joined(diffs.get(each.id), each));
  }
  return {
    callers: callers.map(({ name }) => name),
    direction: directionOf(own.broader !== undefined, own.narrower !== undefined),
    ...own,
    lines: [...diffs.values()].sort((left, right) => (left.id < right.id ? -1 : 1)),
  };
}

interface Witnesses {
  readonly broader?: DiffWitness;
  readonly narrower?: DiffWitness;
}

function witnesses(examples: SpaceFinding["all"], replay: Replay): Witnesses {
  const broader = replay.witness(examples[BROADER], "broader");
  const narrower = replay.witness(examples[NARROWER], "narrower");
  return { ...(broader && { broader }), ...(narrower && { narrower }) };
}

/**
 * What a line of one side is the cause of: an allow that came or a deny that went lets more through, an allow that went
 * or a deny that came lets less through. The rest is somebody else's doing at the same request.
 */
function causes(line: SpaceLine, examples: SpaceFinding["all"], replay: Replay): readonly LineDiff[] {
  return describe(line).flatMap((each) => {
    const widens = (each.change === "added") === (each.effect === "allow");
    const kept = widens ? [examples[BROADER], undefined] : [undefined, examples[NARROWER]];
    const own = witnesses(kept, replay);
    const direction = directionOf(own.broader !== undefined, own.narrower !== undefined);
    return direction === "equivalent" ? [] : [{ ...each, direction, ...own }];
  });
}

function joined(known: LineDiff | undefined, more: LineDiff): LineDiff {
  if (known === undefined) return more;
  return {
    ...known,
    ...more,
    ...(known.broader && { broader: known.broader }),
    ...(known.narrower && { narrower: known.narrower }),
    change: known.change === more.change ? known.change : "changed",
    direction: joinDirections([known.direction, more.direction]),
  };
}

/** Every line that changed, with what it does over all callers. */
function overAll(changed: readonly ChangedLine[], callers: readonly CallerDiff[]): readonly LineDiff[] {
  const found = new Map<string, LineDiff>();
  for (const { lines } of callers) for (const line of lines) found.set(line.id, joined(found.get(line.id), line));
  const named = new Set(changed.map(({ id }) => id));
  const more = [...found.values()].filter(({ id }) => !named.has(id));
  const all = changed.map((line): LineDiff => {
    const known = found.get(line.id);
    return known === undefined
      ? { ...line, direction: "equivalent" }
      : { ...known, change: line.change, span: line.span };
  });
  return [...all, ...more].sort((left, right) => (left.id < right.id ? -1 : 1));
}
