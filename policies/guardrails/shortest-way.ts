import type { Workload } from "../model/index.ts";
import type { Hop, Hops } from "./hops.ts";
import type { Member } from "./party.ts";

/** What counts as a way to a workload. */
export interface WayOptions {
  readonly hops: Hops;
  readonly from: (member: Member) => boolean;
  /** Identity of the workload that is reached. */
  readonly to: string;
  /** Over other workloads too; else one hop only. */
  readonly through: boolean;
  /** Workloads over which a way does not count. */
  readonly stops: (workload: Workload) => boolean;
}

/** A shortest way and how many could set out. */
export interface Way {
  readonly hops: readonly Hop[];
  /** How many members of `from` have some way, this one included. */
  readonly callers: number;
}

/**
 * A shortest way to a workload, breadth first and backwards; of ways of one length one that is sure goes first. Undefined
 * where there is none.
 */
export function shortestWay({ hops, from, to, through, stops }: WayOptions): Way | undefined {
  const next = new Map<string, Hop>();
  let frontier: readonly string[] = [to];
  let best: Hop | undefined;
  let callers = 0;
  while (frontier.length > 0) {
    const found: Hop[] = [];
    const further: string[] = [];
    for (const destination of frontier)
      for (const hop of sureFirst(hops.into(destination))) {
        const key = keyOf(hop.from);
        if (key === to || next.has(key)) continue;
        next.set(key, hop);
        if (from(hop.from)) found.push(hop);
        const { workload } = hop.from;
        if (workload !== undefined && through && !stops(workload)) further.push(key);
      }
    best ??= found.find(({ example }) => example !== undefined) ?? found[0];
    callers += found.length;
    frontier = further;
  }
  return best === undefined ? undefined : { hops: follow(best, next, to), callers };
}

function sureFirst(hops: readonly Hop[]): readonly Hop[] {
  return hops.toSorted((left, right) => Number(left.example === undefined) - Number(right.example === undefined));
}

function keyOf({ of }: Member): string {
  return of.id?.toString() ?? "anonymous";
}

function follow(first: Hop, next: ReadonlyMap<string, Hop>, to: string): readonly Hop[] {
  const way = [first];
  for (let hop: Hop | undefined = first; hop !== undefined && hop.to !== to; ) {
    hop = next.get(hop.to);
    if (hop !== undefined) way.push(hop);
  }
  return way;
}
