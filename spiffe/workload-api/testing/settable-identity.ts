import { SpiffeError, type SpiffeErrorCode } from "../../spiffe-error.ts";
import type { TrustBundle } from "../../trust-bundle.ts";
import type { TrustDomain } from "../../trust-domain.ts";
import type { X509Svid } from "../../x509-svid.ts";
import type { X509Identity } from "../x509-source.ts";

/** An identity that a test sets; undefined takes it away. */
export class SettableIdentity implements X509Identity {
  #svid: X509Svid | undefined;
  #bundles: ReadonlyMap<TrustDomain, TrustBundle>;
  readonly #listeners = new Set<() => void>();

  constructor(svid: X509Svid | undefined, bundles: readonly TrustBundle[]) {
    this.#svid = svid;
    this.#bundles = byTrustDomain(bundles);
  }

  set(svid: X509Svid | undefined, bundles?: readonly TrustBundle[]): void {
    this.#svid = svid;
    if (bundles !== undefined) this.#bundles = byTrustDomain(bundles);
    for (const listener of [...this.#listeners]) listener();
  }

  get svid(): X509Svid {
    const code: SpiffeErrorCode = "ERR_SPIFFE_NO_IDENTITY";
    if (this.#svid === undefined) throw new SpiffeError(code, "no identity issued");
    return this.#svid;
  }

  get bundles(): ReadonlyMap<TrustDomain, TrustBundle> {
    return this.#bundles;
  }

  bundleOf(trustDomain: TrustDomain): TrustBundle | undefined {
    return this.#bundles.get(trustDomain);
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}

function byTrustDomain(bundles: readonly TrustBundle[]): ReadonlyMap<TrustDomain, TrustBundle> {
  return new Map(bundles.map((bundle) => [bundle.trustDomain, bundle]));
}
