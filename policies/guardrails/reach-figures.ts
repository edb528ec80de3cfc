import type { PolicySet } from "../model/index.ts";
import { Hops } from "./hops.ts";

/** How far workloads reach one another, as shares of all ordered pairs. */
export interface ReachFigures {
  readonly workloads: number;
  readonly possiblePairs: number;
  readonly directPairs: number;
  readonly transitivePairs: number;
  /** Three decimals. */
  readonly directPercent: number;
  readonly transitivePercent: number;
  /** How many others each workload reaches over any number of hops, by identity. */
  readonly reach: ReadonlyMap<string, number>;
}

/** The reach of the live policies of a set, requests from `now` on. */
export function reachFigures(set: PolicySet, { now }: { readonly now: Date }): ReachFigures {
  const hops = new Hops(set, now);
  const next = new Map<string, string[]>([...hops.destinations].map((identity) => [identity, []]));
  for (const destination of hops.destinations)
    for (const { from } of hops.into(destination)) next.get(from.of.id?.toString() ?? "")?.push(destination);
  const reach = new Map([...next.keys()].map((identity) => [identity, reached(identity, next)]));
  const workloads = next.size;
  const possiblePairs = workloads * (workloads - 1);
  const directPairs = [...next.values()].reduce((sum, each) => sum + each.length, 0);
  const transitivePairs = [...reach.values()].reduce((sum, each) => sum + each, 0);
  const percent = (pairs: number): number =>
    possiblePairs === 0 ? 0 : Math.round((100_000 * pairs) / possiblePairs) / 1_000;
  return {
    workloads,
    possiblePairs,
    directPairs,
    transitivePairs,
    directPercent: percent(directPairs),
    transitivePercent: percent(transitivePairs),
    reach,
  };
}

function reached(start: string, next: ReadonlyMap<string, readonly string[]>): number {
  const seen = new Set([start]);
  const queue = [start];
  for (let at = queue.pop(); at !== undefined; at = queue.pop())
    for (const each of next.get(at) ?? [])
      if (!seen.has(each)) {
        seen.add(each);
        queue.push(each);
      }
  return seen.size - 1;
}
