import { nameOf } from "../decide/policies-of.ts";
import type { AccessPolicy, PolicySet, Revocations } from "../model/index.ts";
import { PolicyError } from "../policy-error.ts";
import { compileDestination, type PolicyUse } from "./compile-destination.ts";
import type { DestinationIndex, Index, Registry } from "./compiled.ts";
import { type CompileOptions, randomId, staleAfterMs } from "./options.ts";

/**
 * Compiles a policy set for `decide`. Throws `PolicyError` `ERR_POLICY_SET_HAS_ERRORS` where a diagnostic is an error.
 */
export function compile(set: PolicySet, options: CompileOptions = {}): Index {
  refuseErrors(set);
  const wanted = options.destinations && new Set(options.destinations);
  const known = new Set(wanted ? set.destinations.filter((identity) => wanted.has(identity)) : set.destinations);
  const groups = groupByDestination(set, known);
  const destinations = new Map<string, DestinationIndex>();
  for (const workload of set.workloads) {
    const identity = workload.identity.toString();
    if (!known.has(identity) || destinations.has(identity)) continue;
    const group = groups.get(identity) ?? EMPTY;
    destinations.set(identity, compileDestination(workload, usesOf(group), group.candidates.length > 0));
  }
  return baseIndex(options, { registry: registryOf(set), destinations });
}

/** An index without a policy set: it decides `no-policy` for everything. */
export function noPolicyIndex(options: CompileOptions = {}): Index {
  return baseIndex(options, undefined);
}

/** The same index with other revocations; what has been worked out of the policies is shared. */
export function withRevocations(index: Index, revocations: Revocations): Index {
  return Object.freeze({ ...index, revocations });
}

function baseIndex(options: CompileOptions, policies: Index["policies"]): Index {
  return Object.freeze<Index>({
    epoch: options.epoch ?? 0,
    revision: options.revision ?? 0,
    staleAfterMs: staleAfterMs(options),
    revocations: options.revocations,
    random: options.random ?? randomId,
    policies,
  });
}

function refuseErrors(set: PolicySet): void {
  const error = set.diagnostics.find((diagnostic) => diagnostic.severity === "error");
  if (error === undefined) return;
  const { file, line, column } = error.span;
  throw new PolicyError("ERR_POLICY_SET_HAS_ERRORS", `${file}:${line}:${column} ${error.message}`, {
    hint: "a set with errors is never compiled; fix them first",
  });
}

function registryOf(set: PolicySet): Registry {
  const workloads = new Map<string, (typeof set.workloads)[number]>();
  for (const workload of set.workloads) {
    const identity = workload.identity.toString();
    if (!workloads.has(identity)) workloads.set(identity, workload);
  }
  return {
    trustDomain: set.mesh.trustDomain,
    federated: new Set(set.mesh.federated),
    isolate: set.mesh.isolate,
    workloads,
    unnamed: new Map(set.unnamedCallers.map((caller) => [caller.hash, caller.isolate])),
  };
}

interface Group {
  readonly live: AccessPolicy[];
  /** Candidates that protect the destination or stand in for a live policy that does. */
  readonly candidates: AccessPolicy[];
}

const EMPTY: Group = { live: [], candidates: [] };

function groupByDestination(set: PolicySet, known: ReadonlySet<string>): ReadonlyMap<string, Group> {
  const groups = new Map<string, Group>([...known].map((identity) => [identity, { live: [], candidates: [] }]));
  const byName = new Map<string, AccessPolicy>();
  for (const policy of set.policies) {
    if (policy.stage !== "live") continue;
    byName.set(nameOf(policy), policy);
    for (const identity of new Set(policy.destinations)) groups.get(identity)?.live.push(policy);
  }
  for (const policy of set.policies) {
    if (policy.stage !== "candidate") continue;
    const replaced = byName.get(nameOf(policy))?.destinations ?? [];
    const added = policy.action === "replace" ? policy.destinations : [];
    for (const identity of new Set([...replaced, ...added])) groups.get(identity)?.candidates.push(policy);
  }
  return new Map([...groups].map(([identity, group]) => [identity, onlyProtecting(group, identity)]));
}

/** Keeps what a candidate adds only where it protects the destination; elsewhere it just withdraws. */
function onlyProtecting(group: Group, identity: string): Group {
  const candidates = group.candidates.map((policy) =>
    policy.action === "replace" && policy.destinations.includes(identity)
      ? policy
      : { ...policy, action: "withdraw" as const },
  );
  return { live: group.live, candidates };
}

function usesOf({ live, candidates }: Group): readonly PolicyUse[] {
  const replaced = new Set(candidates.map(nameOf));
  return [
    ...live.map((policy) => ({
      policy,
      live: true,
      candidate: candidates.length > 0 && !replaced.has(nameOf(policy)),
    })),
    ...candidates
      .filter((policy) => policy.action === "replace")
      .map((policy) => ({ policy, live: false, candidate: true })),
  ];
}
