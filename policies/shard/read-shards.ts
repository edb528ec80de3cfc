import * as z from "zod";
import type { AccessPolicy, Mesh, PolicySet, UnnamedCaller, Workload } from "../model/index.ts";
import { PolicyError } from "../policy-error.ts";
import { deepFreeze } from "../resolve/freeze.ts";
import { callerFromShard, meshFromShard, policyFromShard, workloadFromShard } from "./from-shard.ts";
import { type Shard, type ShardPolicy, shardSchema } from "./shard-schema.ts";

/**
 * Puts shards together into a set that decides about their destinations. Throws `PolicyError` `ERR_POLICY_SHARD` where
 * one is not of the format, `ERR_POLICY_SHARDS_DISAGREE` where they are not of one set. The set is frozen.
 */
export function readShards(shards: readonly unknown[]): PolicySet {
  const read = shards.map(parseShard);
  const [first] = read;
  if (first === undefined) throw new PolicyError("ERR_POLICY_SHARD", "a policy set is made of one shard at least");
  requireSame(
    "the mesh's settings",
    read.map(({ mesh }) => mesh),
  );
  return build(() => {
    const mesh = meshFromShard(first.mesh);
    const workloads = mergeWorkloads(read, mesh);
    return {
      mesh,
      nodes: [],
      workloads,
      unnamedCallers: mergeUnnamed(read),
      destinations: read.map(({ workload }) => workload.identity).sort(),
      policies: mergePolicies(read),
      diagnostics: [],
    };
  });
}

function parseShard(value: unknown): Shard {
  const result = shardSchema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const where = issue === undefined ? "" : ` at \`${z.core.toDotPath(issue.path)}\`: ${issue.message}`;
  throw new PolicyError("ERR_POLICY_SHARD", `not a shard of a policy set${where}`);
}

/** Builds a set; an identity or instant that cannot be read is the shard's fault. */
function build(make: () => PolicySet): PolicySet {
  try {
    return deepFreeze(make());
  } catch (cause) {
    if (cause instanceof PolicyError) throw cause;
    const why = cause instanceof Error ? cause.message : "unreadable";
    throw new PolicyError("ERR_POLICY_SHARD", `not a shard of a policy set: ${why}`, { cause });
  }
}

/** The destinations whole; of other callers all the labels that any shard tells. */
function mergeWorkloads(shards: readonly Shard[], mesh: Mesh): readonly Workload[] {
  const whole = new Map<string, Workload>();
  for (const { workload } of shards) {
    if (whole.has(workload.identity)) disagree(`the workload \`${workload.identity}\``);
    whole.set(workload.identity, workloadFromShard(workload));
  }
  const labels = new Map<string, Map<string, string>>();
  const callers = new Map<string, Shard["callers"][number]>();
  for (const caller of shards.flatMap((shard) => shard.callers)) {
    const known = labels.get(caller.identity) ?? new Map<string, string>();
    for (const [key, value] of caller.labels) {
      if ((known.get(key) ?? value) !== value) disagree(`the label \`${key}\` of \`${caller.identity}\``);
      known.set(key, value);
    }
    labels.set(caller.identity, known);
    callers.set(caller.identity, caller);
  }
  const others = [...callers.values()]
    .filter(({ identity }) => !whole.has(identity))
    .map((caller) => callerFromShard(caller, labels.get(caller.identity) ?? new Map(), mesh));
  return [...whole.values(), ...others];
}

function mergeUnnamed(shards: readonly Shard[]): readonly UnnamedCaller[] {
  const merged = new Map<string, Shard["unnamedCallers"][number]>();
  for (const caller of shards.flatMap((shard) => shard.unnamedCallers)) {
    const known = merged.get(caller.hash);
    if (known !== undefined) requireSame("an unnamed caller", [known, caller]);
    merged.set(caller.hash, caller);
  }
  return [...merged.values()].map(({ hash, isolate }) => ({ hash, isolate: new Map(isolate) }));
}

/**
 * One policy of each name and stage. A candidate may be there whole in the shard of a destination that it protects and
 * as a mere withdrawal in another; the whole one is kept, and its `destinations` make it a withdrawal elsewhere.
 */
function mergePolicies(shards: readonly Shard[]): readonly AccessPolicy[] {
  const uses = new Map<string, { readonly policy: ShardPolicy; readonly destination: string }[]>();
  for (const { workload, policies } of shards) {
    const names = policies.map((policy) => `${policy.namespace}/${policy.name} ${policy.stage}`);
    if (new Set(names).size !== names.length) throw new PolicyError("ERR_POLICY_SHARD", "a policy is there twice");
    for (const [index, policy] of policies.entries()) {
      const name = names[index] ?? "";
      uses.set(name, [...(uses.get(name) ?? []), { policy, destination: workload.identity }]);
    }
  }
  return [...uses.values()].map(mergeUses);
}

function mergeUses(uses: readonly { readonly policy: ShardPolicy; readonly destination: string }[]): AccessPolicy {
  const whole = uses.filter(({ policy }) => policy.action === "replace");
  const kept = whole.length > 0 ? whole : uses;
  requireSame(
    "a policy",
    kept.map(({ policy }) => ({ ...policy, protectsDestination: true })),
  );
  const [first] = kept;
  if (first === undefined) throw new TypeError("a policy without a use");
  const destinations = kept.filter(({ policy }) => policy.protectsDestination).map(({ destination }) => destination);
  return policyFromShard(first.policy, destinations.sort(), first.policy.labelled);
}

function requireSame(what: string, values: readonly unknown[]): void {
  const [first, ...others] = values.map((value) => JSON.stringify(value));
  if (others.some((other) => other !== first)) disagree(what);
}

function disagree(what: string): never {
  throw new PolicyError("ERR_POLICY_SHARDS_DISAGREE", `the shards are not of one policy set: they differ in ${what}`, {
    hint: "fetch the shards that one manifest names",
  });
}
