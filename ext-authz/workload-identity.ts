import type { TrustBundle, TrustDomain, X509Svid } from "../spiffe/index.ts";

/** What a workload's sockets can hand out at this moment. */
export type IdentityState =
  /** The agent has not heard from the authority yet. */
  | { readonly kind: "pending" }
  /** The authority gives no identity, or took it back; `reason` is for logs and status. */
  | { readonly kind: "none"; readonly reason: string }
  | { readonly kind: "present"; readonly svid: X509Svid; readonly trust: TrustState };

/** The trust bundles of the own and of every federated trust domain. */
export interface TrustState {
  readonly trustDomain: TrustDomain;
  readonly bundles: ReadonlyMap<TrustDomain, TrustBundle>;
}

/** A workload's identity as it changes; listeners are called after each change. */
export class WorkloadIdentity {
  #state: IdentityState = { kind: "pending" };
  readonly #listeners = new Set<() => void>();

  get state(): IdentityState {
    return this.#state;
  }

  /** Takes a state; the same one again is no change. */
  set(state: IdentityState): void {
    if (isSame(state, this.#state)) return;
    this.#state = Object.freeze(state);
    for (const listener of [...this.#listeners]) listener();
  }

  /** Returns how to stop listening. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

function isSame(a: IdentityState, b: IdentityState): boolean {
  if (a.kind === "present") return b.kind === "present" && a.svid === b.svid && a.trust === b.trust;
  if (a.kind === "none") return b.kind === "none" && a.reason === b.reason;
  return b.kind === "pending";
}
