import type { AccessPolicy, PolicySet } from "../model/index.ts";

/** The policies that protect one destination, as they are and as the candidates would have them. */
export interface DestinationPolicies {
  readonly live: readonly AccessPolicy[];
  /** Absent where no candidate changes anything for the destination. */
  readonly candidate: readonly AccessPolicy[] | undefined;
}

/** Picks a destination's policies; each candidate stands in for the live one of its name, is added, or withdraws it. */
export function policiesOf(set: PolicySet, destination: string): DestinationPolicies {
  const live = set.policies.filter((policy) => policy.stage === "live" && policy.destinations.includes(destination));
  const changes = candidatesOf(set, destination, live);
  if (changes.length === 0) return { live, candidate: undefined };
  const replaced = new Set(changes.map(nameOf));
  const kept = live.filter((policy) => !replaced.has(nameOf(policy)));
  return { live, candidate: [...kept, ...changes.filter((policy) => protects(policy, destination))] };
}

/** The candidates that change something for a destination: they protect it, or bear the name of a live one that does. */
export function candidatesOf(
  set: PolicySet,
  destination: string,
  live: readonly AccessPolicy[],
): readonly AccessPolicy[] {
  const names = new Set(live.map(nameOf));
  return set.policies.filter(
    (policy) => policy.stage === "candidate" && (names.has(nameOf(policy)) || protects(policy, destination)),
  );
}

function protects(policy: AccessPolicy, destination: string): boolean {
  return policy.action === "replace" && policy.destinations.includes(destination);
}

/** `<namespace>/<name>` */
export function nameOf(policy: AccessPolicy): string {
  return `${policy.namespace}/${policy.name}`;
}
