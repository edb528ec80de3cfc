import type { TrustBundle } from "../trust-bundle.ts";
import type { TrustDomain } from "../trust-domain.ts";

/** Whom to trust at this moment. */
export interface BundleSource {
  readonly bundles: ReadonlyMap<TrustDomain, TrustBundle>;
  /** Undefined for a trust domain that is not trusted. */
  bundleOf(trustDomain: TrustDomain): TrustBundle | undefined;
  /** Calls after each change; returns how to stop that. */
  subscribe(listener: () => void): () => void;
}
