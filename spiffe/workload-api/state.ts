import type { TrustBundle } from "../trust-bundle.ts";
import type { TrustDomain } from "../trust-domain.ts";
import type { X509Svid } from "../x509-svid.ts";

/** What a Workload API can give its workload at this moment. */
export type WorkloadState =
  /** Not known yet: callers are to come back. */
  | { readonly kind: "pending" }
  /** There is no identity, or it was taken back. */
  | { readonly kind: "none" }
  | { readonly kind: "present"; readonly svid: X509Svid; readonly trust: WorkloadTrust };

/** The own trust domain's bundle, and those of every trust domain that it trusts. */
export interface WorkloadTrust {
  readonly trustDomain: TrustDomain;
  readonly bundles: ReadonlyMap<TrustDomain, TrustBundle>;
}

/** A workload's state as it changes; listeners are called after each change. */
export interface WorkloadStateSource {
  readonly state: WorkloadState;
  /** Returns how to stop listening. */
  subscribe(listener: () => void): () => void;
}
