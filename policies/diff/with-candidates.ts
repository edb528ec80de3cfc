import { nameOf } from "../decide/policies-of.ts";
import type { PolicySet } from "../model/index.ts";

/**
 * The set that its candidates would make: each stands in for the live policy of its name, is added, or withdraws it
 * (docs/semantics.md, "Live and candidate").
 */
export function withCandidates(set: PolicySet): PolicySet {
  const candidates = set.policies.filter(({ stage }) => stage === "candidate");
  const replaced = new Set(candidates.map(nameOf));
  const kept = set.policies.filter((policy) => policy.stage === "live" && !replaced.has(nameOf(policy)));
  const added = candidates.filter(({ action }) => action === "replace");
  return { ...set, policies: [...kept, ...added.map((policy) => ({ ...policy, stage: "live" as const }))] };
}
