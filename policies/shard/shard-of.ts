import { createHash } from "node:crypto";
import { candidatesOf, nameOf } from "../decide/policies-of.ts";
import { identityMatches } from "../match/caller.ts";
import type { AccessPolicy, CallerSelector, PolicySet, Rule, Workload } from "../model/index.ts";
import { PolicyError } from "../policy-error.ts";
import { SHARD_FORMAT, type Shard } from "./shard-schema.ts";
import { meshToShard, policyToShard, workloadToShard } from "./to-shard.ts";

/**
 * One destination's share of a set, as a JSON value: the policies that decide about it, the callers that these can tell
 * apart with the labels that they ask for, and a hash of every other registered caller. The same set gives the same
 * value. Throws `PolicyError` `ERR_POLICY_SHARD` where no workload has the identity.
 */
export function shardOf(set: PolicySet, destination: string): unknown {
  const workload = set.workloads.find((each) => each.identity.toString() === destination);
  if (workload === undefined || !set.destinations.includes(destination)) {
    throw new PolicyError("ERR_POLICY_SHARD", `no workload has the identity \`${destination}\``);
  }
  const policies = policiesFor(set, destination);
  const selectors = policies.flatMap(selectorsOf);
  const named = set.workloads.filter((each) => selectors.some((selector) => tellsApart(selector, each)));
  const keys = new Set([...set.mesh.isolate, ...selectors.flatMap(({ labels }) => [...(labels?.keys() ?? [])])]);
  const shard: Shard = {
    format: SHARD_FORMAT,
    mesh: meshToShard(set.mesh),
    workload: workloadToShard(workload),
    policies: policies.map((policy) => policyToShard(policy, destination, labelledBy(policy, set.workloads))),
    callers: named.map((each) => callerOf(each, keys)).sort((a, b) => compare(a.identity, b.identity)),
    unnamedCallers: unnamedOf(set, new Set([workload, ...named])),
  };
  return shard;
}

function policiesFor(set: PolicySet, destination: string): readonly AccessPolicy[] {
  const live = set.policies.filter((policy) => policy.stage === "live" && policy.destinations.includes(destination));
  return [...live, ...candidatesOf(set, destination, live).map((policy) => onlyFor(policy, destination))].sort((a, b) =>
    compare(`${nameOf(a)} ${a.stage}`, `${nameOf(b)} ${b.stage}`),
  );
}

/** A candidate that stands in for a live policy without protecting the destination just withdraws it there. */
function onlyFor(policy: AccessPolicy, destination: string): AccessPolicy {
  if (policy.action === "replace" && policy.destinations.includes(destination)) return policy;
  return { ...policy, action: "withdraw", allow: [], deny: [] };
}

function selectorsOf(policy: AccessPolicy): readonly CallerSelector[] {
  return [...policy.allow, ...policy.deny].flatMap((rule: Rule) => [
    ...(rule.from ?? []),
    ...(rule.except?.from ?? []),
  ]);
}

function tellsApart(selector: CallerSelector, workload: Workload): boolean {
  if (!(selector.workload || selector.labels || selector.spiffe)) return false;
  return identityMatches(selector, { kind: "registered", id: workload.identity, workload }, true);
}

function labelledBy(policy: AccessPolicy, workloads: readonly Workload[]): string[] {
  const selectors = selectorsOf(policy).filter((selector) => selector.labels !== undefined);
  return workloads
    .filter((workload) => selectors.some((selector) => tellsApart(selector, workload)))
    .map((workload) => workload.identity.toString())
    .sort();
}

function callerOf(workload: Workload, keys: ReadonlySet<string>): Shard["callers"][number] {
  const { namespace, name, identity, labels } = workload;
  return { namespace, name, identity: identity.toString(), labels: only(labels, keys) };
}

function unnamedOf(set: PolicySet, named: ReadonlySet<Workload>): Shard["unnamedCallers"] {
  const isolate = new Set(set.mesh.isolate);
  const own = set.workloads
    .filter((workload) => !named.has(workload))
    .map(({ identity, labels }) => ({ hash: hashOf(identity.toString()), isolate: only(labels, isolate) }));
  const known = set.unnamedCallers.map((caller) => ({ hash: caller.hash, isolate: only(caller.isolate, isolate) }));
  return [...own, ...known].sort((a, b) => compare(a.hash, b.hash));
}

/** The key of an unnamed caller: lower-case hex of the first 16 bytes of SHA-256 over the identity's text. */
function hashOf(identity: string): string {
  return createHash("sha256").update(identity).digest("hex").slice(0, 32);
}

function only(labels: ReadonlyMap<string, string>, keys: ReadonlySet<string>): [string, string][] {
  return [...labels].filter(([key]) => keys.has(key)).sort(([a], [b]) => compare(a, b));
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}
