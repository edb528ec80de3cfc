import type { AccessPolicy } from "./access-policy.ts";
import type { Mesh } from "./mesh.ts";
import type { Node, Workload } from "./registry.ts";
import type { Diagnostic } from "./span.ts";

/**
 * A caller that is registered but that no rule of this set can tell from another: shards carry only a hash of it,
 * so that no host holds the whole registry. Key: lower-case hex of the first 16 bytes of SHA-256 over the identity's text.
 */
export interface UnnamedCaller {
  readonly hash: string;
  /** Its values of the `isolate` labels. */
  readonly isolate: ReadonlyMap<string, string>;
}

/** A resolved set: what `resolve` returns, what shards carry, what `compile` and `referenceDecide` read. Frozen. */
export interface PolicySet {
  readonly mesh: Mesh;
  readonly nodes: readonly Node[];
  readonly workloads: readonly Workload[];
  /** Empty but in a set read from shards. */
  readonly unnamedCallers: readonly UnnamedCaller[];
  /** Identities whose destinations this set can decide about; a set from shards decides about these only. */
  readonly destinations: readonly string[];
  /** Live and candidate policies. */
  readonly policies: readonly AccessPolicy[];
  /** All findings of parsing and resolving. A set with an `error` in here cannot be compiled. */
  readonly diagnostics: readonly Diagnostic[];
}

/** Revocations as a decision reads them. */
export interface Revocations {
  readonly sequence: number;
  /** Lower-case hex without leading zeros. */
  readonly serials: ReadonlySet<string>;
  /** Identity texts; every caller of one is refused, whatever its certificate. */
  readonly identities: ReadonlySet<string>;
}
