import type { PolicySet, Workload } from "../policies/index.ts";
import type { PublishResponse } from "../protocol/index.ts";
import { SpiffeId } from "../spiffe/index.ts";

/**
 * What a publish does to the workloads, by identity, sorted. `changed`: its registration differs, or a policy that protects it, in the
 * live set or among the candidates.
 */
export function summarizeChange(before: PolicySet | undefined, after: PolicySet): PublishResponse["workloads"] {
  const [old, fresh] = [fingerprints(before), fingerprints(after)];
  return {
    added: [...fresh.keys()].filter((identity) => !old.has(identity)).sort(),
    removed: [...old.keys()].filter((identity) => !fresh.has(identity)).sort(),
    changed: [...fresh]
      .flatMap(([identity, print]) => ((old.get(identity) ?? print) === print ? [] : [identity]))
      .sort(),
  };
}

function fingerprints(set: PolicySet | undefined): ReadonlyMap<string, string> {
  const prints = new Map<string, string>();
  if (set === undefined) return prints;
  // What only the authority reads of the mesh changes no workload.
  const { approvals, federation, bundleEndpoint, oidcDiscovery, ...decisive } = set.mesh;
  const mesh = plainText(decisive);
  const policies = new Map<string, string[]>();
  for (const policy of set.policies) {
    const text = plainText(policy);
    for (const identity of policy.destinations) policies.set(identity, [...(policies.get(identity) ?? []), text]);
  }
  for (const workload of set.workloads) {
    prints.set(
      workload.identity.toString(),
      [mesh, plainText(workload), ...(policies.get(key(workload)) ?? []).sort()].join("\n"),
    );
  }
  return prints;
}

const key = (workload: Workload): string => workload.identity.toString();

/** The value as JSON text without its places in files; maps in the order of their keys. */
function plainText(value: unknown): string {
  return JSON.stringify(value, (name, each: unknown) => {
    if (name === "span" || name === "destinations") return undefined;
    if (each instanceof SpiffeId) return each.toString();
    if (each instanceof Map) return [...each].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
    return each;
  });
}
