import { foreignDomainsOf, type PolicySet } from "../../policies/index.ts";
import type { NodeWorkloads } from "../../protocol/index.ts";
import type { TrustDomain } from "../../spiffe/index.ts";
import type { ForeignDomains } from "./foreign-domains.ts";

const named = new WeakMap<PolicySet, Map<string, readonly TrustDomain[]>>();

/** Bundle documents of the foreign trust domains that the lines of a node's workloads name, by trust domain. */
export function foreignBundlesFor(
  { workloads }: NodeWorkloads,
  set: PolicySet | undefined,
  foreign: Pick<ForeignDomains, "documentOf">,
): Readonly<Record<string, string>> {
  if (set === undefined || set.mesh.federated.length === 0) return {};
  const domains = new Set(workloads.flatMap(({ identity }) => domainsOf(set, identity)));
  return Object.fromEntries(
    [...domains].sort().flatMap((trustDomain) => {
      const document = foreign.documentOf(trustDomain);
      return document === undefined ? [] : [[trustDomain, document]];
    }),
  );
}

/** Worked out once a set and workload: agents ask at every change. */
function domainsOf(set: PolicySet, identity: string): readonly TrustDomain[] {
  const known = named.get(set) ?? new Map<string, readonly TrustDomain[]>();
  named.set(set, known);
  const domains = known.get(identity) ?? foreignDomainsOf(set, identity);
  known.set(identity, domains);
  return domains;
}
