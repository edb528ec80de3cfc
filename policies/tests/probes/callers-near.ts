import { identityMatches } from "../../match/caller.ts";
import type { CallerSelector, PolicySet, Rule, Workload } from "../../model/index.ts";

/** How many callers of each kind are tried. */
const MOST = 8;

/** Callers that rules tell apart: some that are named, some that are not, foreign ones, an anonymous one. */
export function callersNear(
  rules: readonly Rule[],
  destination: Workload,
  set: PolicySet,
): readonly (string | undefined)[] {
  const selectors = rules.flatMap(({ from, except }) => [...(from ?? []), ...(except?.from ?? [])]);
  const named = selectors.flatMap((selector) => registered(selector, set));
  const others = oneOfEachLabelling(set.workloads.filter((workload) => workload !== destination));
  const anonymous = destination.sidecar?.listens.some(({ clients }) => clients === "public") ?? true;
  const callers = [
    ...named,
    ...selectors.flatMap(outside),
    ...others.map(identityOf),
    ...(anonymous ? [undefined] : []),
  ];
  return [...new Set(callers)];
}

function registered(selector: CallerSelector, { workloads }: PolicySet): readonly string[] {
  const found: string[] = [];
  for (const workload of workloads) {
    if (found.length >= MOST) break;
    if (identityMatches(selector, { kind: "registered", id: workload.identity, workload }, true))
      found.push(identityOf(workload));
  }
  return found;
}

function identityOf({ identity }: Workload): string {
  return identity.toString();
}

/** Identities of other trust domains that a selector names, and of their neighbours. */
function outside({ spiffe, trustDomain }: CallerSelector): readonly string[] {
  const named = spiffe?.id.toString();
  return [
    ...(named === undefined ? [] : [...(spiffe?.id.path === "" ? [] : [named]), `${named}/zz`, `${named}2`]),
    ...(trustDomain === undefined ? [] : [`spiffe://${trustDomain}/zz`]),
  ];
}

/** Workloads that differ in labels or namespace, so that whatever a selector says, both sides of it are among them. */
function oneOfEachLabelling(workloads: readonly Workload[]): readonly Workload[] {
  const seen = new Map<string, Workload>();
  for (const workload of workloads) {
    if (seen.size >= 5 * MOST) break;
    const key = JSON.stringify([workload.namespace, ...[...workload.labels].flat()]);
    if (!seen.has(key)) seen.set(key, workload);
  }
  return [...seen.values()];
}
