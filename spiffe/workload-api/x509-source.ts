import { SpiffeError } from "../spiffe-error.ts";
import type { TrustBundle } from "../trust-bundle.ts";
import type { TrustDomain } from "../trust-domain.ts";
import type { X509Svid } from "../x509-svid.ts";
import type { HintedSvid, X509Context } from "./answers.ts";
import type { BundleSource } from "./bundle-source.ts";
import { WorkloadApiClient, type WorkloadApiOptions } from "./client.ts";
import { Latest } from "./latest.ts";

/** What TLS needs: an identity and whom to trust, both of this moment. */
export interface X509Identity extends BundleSource {
  /** Throws `SpiffeError` `ERR_SPIFFE_NO_IDENTITY` while there is none. */
  readonly svid: X509Svid;
  /** Calls after each change; returns how to stop that. */
  subscribe(listener: () => void): () => void;
}

/** How an `X509Source` is opened. */
export interface X509SourceOptions extends WorkloadApiOptions {
  /** Chooses one of several identities; the first, which is the default one, without it. */
  readonly pick?: (svids: readonly HintedSvid[]) => HintedSvid | undefined;
  /** Gives up waiting for the first identity; it waits for as long as it takes without it. */
  readonly signal?: AbortSignal;
  readonly now?: () => Date;
}

/**
 * A program's X.509 identity and trust bundles, kept up to date over the Workload API.
 *
 *     const source = await X509Source.open();
 *     source.svid.id.toString();                    // "spiffe://shop.example/shop/web"
 */
export class X509Source implements X509Identity {
  readonly #client: WorkloadApiClient;
  readonly #options: X509SourceOptions;
  readonly #latest: Latest<X509Context>;

  private constructor(options: X509SourceOptions) {
    this.#options = options;
    this.#client = new WorkloadApiClient(options);
    this.#latest = new Latest("an identity");
    this.#client.watchX509Context(this.#latest);
  }

  /**
   * Resolves with the first identity. Rejects with `SpiffeError` `ERR_SPIFFE_ENDPOINT`, `ERR_SPIFFE_WORKLOAD_API`, and
   * `ERR_SPIFFE_NO_IDENTITY` or `ERR_SPIFFE_UNAVAILABLE` when the signal ends the wait.
   */
  static async open(options: X509SourceOptions = {}): Promise<X509Source> {
    const source = new X509Source(options);
    try {
      await source.#latest.first(options.signal);
      return source;
    } catch (error) {
      source.close();
      throw error;
    }
  }

  /** The identity of now. Throws `SpiffeError` `ERR_SPIFFE_NO_IDENTITY` where it was taken back or has expired. */
  get svid(): HintedSvid {
    const { pick = ([first]: readonly HintedSvid[]) => first, now = () => new Date() } = this.#options;
    const svid = pick(this.#latest.value.svids);
    if (svid === undefined) throw new SpiffeError("ERR_SPIFFE_NO_IDENTITY", "none of the identities was picked");
    if (svid.notAfter > now()) return svid;
    const message = `the certificate of \`${svid.id}\` expired at ${svid.notAfter.toISOString()}, and no other came`;
    throw new SpiffeError("ERR_SPIFFE_NO_IDENTITY", message, { hint: "is the Workload API up?" });
  }

  /** Every identity of the workload, the default one first. */
  get svids(): readonly HintedSvid[] {
    return this.#latest.value.svids;
  }

  get bundles(): ReadonlyMap<TrustDomain, TrustBundle> {
    return this.#latest.value.bundles;
  }

  bundleOf(trustDomain: TrustDomain): TrustBundle | undefined {
    return this.#latest.value.bundles.get(trustDomain);
  }

  subscribe(listener: () => void): () => void {
    return this.#latest.subscribe(listener);
  }

  /** Ends the stream; what was read stays nobody's. */
  close(): void {
    this.#latest.close();
    this.#client.close();
  }
}
