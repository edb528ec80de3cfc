import type { TrustDomain } from "../../spiffe/index.ts";
import type { CallerSelector, PolicySet } from "../model/index.ts";

/**
 * The federated trust domains that a workload has to do with: those whose callers an allow of a policy that protects it
 * names, candidates included. Sorted. A sidecar needs no other foreign bundle, and gets none.
 */
export function foreignDomainsOf(set: PolicySet, destination: string): readonly TrustDomain[] {
  const named = new Set(
    set.policies
      .filter(({ destinations }) => destinations.includes(destination))
      .flatMap(({ allow }) => allow.flatMap(({ from }) => (from ?? []).flatMap(domainsOf))),
  );
  return set.mesh.federated.filter((trustDomain) => named.has(trustDomain)).toSorted();
}

function domainsOf({ spiffe, trustDomain }: CallerSelector): readonly TrustDomain[] {
  return [
    ...(spiffe === undefined ? [] : [spiffe.id.trustDomain]),
    ...(trustDomain === undefined ? [] : [trustDomain]),
  ];
}
