import type { PolicySet } from "../model/index.ts";
import { type CallerClass, callerClasses, Side, Universe } from "../space/index.ts";
import { diffDestination } from "./diff-destination.ts";
import { joinDirections } from "./direction.ts";
import { Replay } from "./replay.ts";
import type { DestinationDiff, DiffReport, ListDiff } from "./report.ts";

/** Options of `diff`. */
export interface DiffOptions {
  /** The present: a request counts from now on, so that a rule that has ended is no rule. */
  readonly now: Date;
  /** Whether requests count that no well-configured sidecar reports: headers withheld, providers that did not run. */
  readonly unknowns?: boolean;
}

/**
 * What changes from one policy set to another: per destination, per kind of caller and per line whether it is equivalent,
 * broader, narrower or both, each with a request that has the claimed verdicts under both sets. Live policies only:
 * `withCandidates` makes a set of the candidates.
 * Exact over everything that a request can be; where it is not, `inexact` says so.
 */
export function diff(oldSet: PolicySet, newSet: PolicySet, options: DiffOptions): DiffReport {
  const sides = [new Side(oldSet), new Side(newSet)] as const;
  const universe = new Universe(options);
  const callers = callerClasses(sides);
  const replay = new Replay(oldSet, newSet, options.now);
  const sameRegistry = isSameRegistry(...sides);
  const identities = [...new Set(sides.flatMap((side) => [...side.destinations]))];
  const destinations = identities.flatMap((identity) => {
    const found = diffDestination(identity, { sides, universe, callers, replay, sameRegistry });
    return found === undefined ? [] : [found];
  });
  const notes = [...notesOf(destinations, sides, callers), ...replay.notes];
  return {
    direction: joinDirections(destinations.map(({ direction }) => direction)),
    inexact: notes.length > 0,
    notes,
    workloads: listDiff(workloadNames(sides[0]), workloadNames(sides[1])),
    federation: listDiff(oldSet.mesh.federated, newSet.mesh.federated),
    isolation: listDiff(oldSet.mesh.isolate, newSet.mesh.isolate),
    ...(oldSet.mesh.trustDomain === newSet.mesh.trustDomain
      ? {}
      : { trustDomain: { old: oldSet.mesh.trustDomain, new: newSet.mesh.trustDomain } }),
    destinations: destinations.sort((left, right) => (left.destination < right.destination ? -1 : 1)),
  };
}

/** Whether both sets know the same callers under the same names and labels, and the same trust domains. */
function isSameRegistry(old: Side, next: Side): boolean {
  const text = ({ set, workloads }: Side): string =>
    JSON.stringify([
      set.mesh.trustDomain,
      [...set.mesh.federated].sort(),
      [...set.mesh.isolate].sort(),
      [...workloads]
        .map(([identity, { namespace, name, labels }]) => [identity, namespace, name, [...labels].sort()])
        .sort(([left = ""], [right = ""]) => (String(left) < String(right) ? -1 : 1)),
      set.unnamedCallers.map(({ hash, isolate }) => [hash, [...isolate].sort()]),
    ]);
  return text(old) === text(next);
}

function workloadNames({ workloads }: Side): readonly string[] {
  return [...workloads.values()].map(({ namespace, name }) => `${namespace}/${name}`);
}

function listDiff(old: readonly string[], next: readonly string[]): ListDiff {
  const [before, after] = [new Set(old), new Set(next)];
  return {
    added: next.filter((each) => !before.has(each)).sort(),
    removed: old.filter((each) => !after.has(each)).sort(),
  };
}

function notesOf(
  destinations: readonly DestinationDiff[],
  sides: readonly Side[],
  callers: readonly CallerClass[],
): readonly string[] {
  const vague = destinations.filter(({ exact }) => !exact).map(({ destination }) => destination);
  const known = callers.filter(({ id }) => id !== undefined && sides.every((side) => side.caller(id) !== undefined));
  const hidden = Math.max(0, ...sides.map(({ set }) => set.unnamedCallers.length - unnamedAmong(known, set)));
  return [
    ...vague.map((destination) => `\`${destination}\` has too many kinds of requests to look at all of them`),
    ...(hidden === 0
      ? []
      : [`a bundle knows ${hidden} callers by a hash only that no rule names; they are not compared`]),
  ];
}

function unnamedAmong(callers: readonly CallerClass[], set: PolicySet): number {
  const named = new Set(set.workloads.map(({ identity }) => identity.toString()));
  return callers.filter(({ id }) => id?.trustDomain === set.mesh.trustDomain && !named.has(id.toString())).length;
}
