import {
  compile,
  type Index,
  noPolicyIndex,
  type PolicySet,
  type Revocations,
  withRevocations,
} from "../policies/index.ts";

/** Which bundle is in force. */
export interface PolicyInForce {
  readonly epoch: number;
  readonly revision: number;
  readonly issuedAt: Date;
  readonly expiresAt: Date;
  /** Destination identities of this node's workloads that the bundle holds. */
  readonly destinations: readonly string[];
  readonly source: "authority" | "disk";
}

/** What one request sees: swapped as a whole, never changed. */
export interface PolicyView {
  readonly index: Index;
  /** What the index was compiled from. */
  readonly set: PolicySet | undefined;
  /** Absent before the first bundle: everything is `no-policy`. */
  readonly bundle: PolicyInForce | undefined;
}

const NOTHING_REVOKED: Revocations = Object.freeze({
  sequence: 0,
  serials: new Set<string>(),
  identities: new Set<string>(),
});

/** The policy that decisions are made by. A reload swaps one reference, so a request sees exactly one revision. */
export class PolicyState {
  readonly #maxStaleMs: number;
  #revocations: Revocations = NOTHING_REVOKED;
  #view: PolicyView;

  constructor(maxStaleMs: number) {
    this.#maxStaleMs = maxStaleMs;
    this.#view = Object.freeze({ index: noPolicyIndex(), set: undefined, bundle: undefined });
  }

  get view(): PolicyView {
    return this.#view;
  }

  get revocations(): Revocations {
    return this.#revocations;
  }

  /** Compiles a verified bundle's set and puts it in force; throws what `compile` throws, and then changes nothing. */
  use(set: PolicySet, bundle: PolicyInForce): void {
    const index = compile(set, {
      epoch: bundle.epoch,
      revision: bundle.revision,
      expiresAt: bundle.expiresAt,
      maxStaleMs: this.#maxStaleMs,
      revocations: this.#revocations,
      destinations: bundle.destinations,
    });
    this.#view = Object.freeze({ index, set, bundle });
  }

  /** Puts verified revocations in force. */
  revoke(revocations: Revocations): void {
    this.#revocations = revocations;
    this.#view = Object.freeze({ ...this.#view, index: withRevocations(this.#view.index, revocations) });
  }

  /** How fresh the policy is: `expired` still decides, `stale` denies everything. */
  freshness(nowMs: number): "none" | "current" | "expired" | "stale" {
    const bundle = this.#view.bundle;
    if (bundle === undefined) return "none";
    const expiredForMs = nowMs - bundle.expiresAt.getTime();
    if (expiredForMs < 0) return "current";
    return expiredForMs <= this.#maxStaleMs ? "expired" : "stale";
  }
}
