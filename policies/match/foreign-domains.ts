import type { TrustDomain } from "../../spiffe/index.ts";
import type { CallerSelector, PolicySet } from "../model/index.ts";

/**
 * The federated trust domains that a workload has to do with: those whose callers an allow of a policy that protects it
 * names, candidates included, and those that its own foreign calls lead to. Sorted. A sidecar needs no other foreign bundle, and gets none.
 */
export function foreignDomainsOf(set: PolicySet, destination: string): readonly TrustDomain[] {
  const named = new Set(
    set.policies
      .filter(({ destinations }) => destinations.includes(destination))
      .flatMap(({ allow }) => allow.flatMap(({ from }) => (from ?? []).flatMap(domainsOf))),
  );
  const sidecar = set.workloads.find(({ identity }) => identity.toString() === destination)?.sidecar;
  for (const { identity } of sidecar?.foreignCalls ?? []) named.add(identity.trustDomain);
  return set.mesh.federated.filter((trustDomain) => named.has(trustDomain)).toSorted();
}

function domainsOf({ spiffe, trustDomain }: CallerSelector): readonly TrustDomain[] {
  return [
    ...(spiffe === undefined ? [] : [spiffe.id.trustDomain]),
    ...(trustDomain === undefined ? [] : [trustDomain]),
  ];
}
