import { isSystemId, type SpiffeId } from "../../spiffe/index.ts";
import { nameOf, policiesOf } from "../decide/policies-of.ts";
import type { Caller } from "../match/caller.ts";
import type { AccessPolicy, PolicySet, Workload } from "../model/index.ts";
import { callerHash } from "../reference/situation.ts";

/** A policy set with what is looked up in it often. */
export class Side {
  readonly set: PolicySet;
  /** First by identity, as decisions have it. */
  readonly workloads: ReadonlyMap<string, Workload>;
  readonly #destinations: ReadonlySet<string>;
  readonly #federated: ReadonlySet<string>;
  readonly #unnamed: ReadonlyMap<string, ReadonlyMap<string, string>>;
  readonly #policies: ReadonlyMap<string, readonly AccessPolicy[]>;
  /** Which policies' candidates stand in for the live ones. */
  readonly stage: "live" | "candidate";

  constructor(set: PolicySet, stage: "live" | "candidate" = "live") {
    this.set = set;
    this.stage = stage;
    const workloads = new Map<string, Workload>();
    for (const workload of set.workloads) {
      const identity = workload.identity.toString();
      if (!workloads.has(identity)) workloads.set(identity, workload);
    }
    this.workloads = workloads;
    this.#destinations = new Set(set.destinations.filter((identity) => workloads.has(identity)));
    this.#federated = new Set(set.mesh.federated);
    this.#unnamed = new Map(set.unnamedCallers.map((caller) => [caller.hash, caller.isolate]));
    this.#policies = livePolicies(set);
  }

  get destinations(): ReadonlySet<string> {
    return this.#destinations;
  }

  /** The workload that this set decides about. */
  destination(identity: string): Workload | undefined {
    return this.#destinations.has(identity) ? this.workloads.get(identity) : undefined;
  }

  /** The policies that protect a destination. */
  policies(identity: string): readonly AccessPolicy[] {
    const live = this.#policies.get(identity) ?? [];
    if (this.stage === "live") return live;
    return policiesOf(this.set, identity).candidate ?? live;
  }

  /** Who an identity is to this set; nothing for one that is denied before any rule. Without identity: anonymous. */
  caller(id: SpiffeId | undefined): Caller | undefined {
    if (id === undefined) return { kind: "anonymous" };
    if (isSystemId(id)) return undefined;
    if (id.trustDomain !== this.set.mesh.trustDomain) {
      return this.#federated.has(id.trustDomain) ? { kind: "foreign", id } : undefined;
    }
    const workload = this.workloads.get(id.toString());
    if (workload !== undefined) return { kind: "registered", id, workload };
    const isolate = this.#unnamed.size === 0 ? undefined : this.#unnamed.get(callerHash(id));
    return isolate && { kind: "unnamed", id, isolate };
  }

  /** The isolation labels of which caller and destination do not both carry the same value. */
  apart(caller: Caller, destination: Workload): readonly string[] {
    return this.set.mesh.isolate.filter((key) => {
      const own = destination.labels.get(key);
      return own === undefined || labelOf(caller, key) !== own;
    });
  }
}

function labelOf(caller: Caller, key: string): string | undefined {
  if (caller.kind === "registered") return caller.workload.labels.get(key);
  return caller.kind === "unnamed" ? caller.isolate.get(key) : undefined;
}

function livePolicies(set: PolicySet): ReadonlyMap<string, readonly AccessPolicy[]> {
  const policies = new Map<string, AccessPolicy[]>();
  for (const policy of set.policies) {
    if (policy.stage !== "live") continue;
    for (const identity of new Set(policy.destinations)) {
      const list = policies.get(identity);
      if (list === undefined) policies.set(identity, [policy]);
      else list.push(policy);
    }
  }
  for (const list of policies.values()) list.sort((left, right) => (nameOf(left) < nameOf(right) ? -1 : 1));
  return policies;
}
