import type { JwtSvid } from "../jwt-svid.ts";
import { SpiffeError } from "../spiffe-error.ts";
import type { SpiffeId } from "../spiffe-id.ts";
import type { TrustBundle } from "../trust-bundle.ts";
import type { TrustDomain } from "../trust-domain.ts";
import { type VerifyJwtSvidResult, verifyJwtSvid } from "../verify-jwt-svid.ts";
import type { BundleSource } from "./bundle-source.ts";
import { WorkloadApiClient, type WorkloadApiOptions } from "./client.ts";
import { Latest } from "./latest.ts";

/** How a `JwtSource` is opened. */
export interface JwtSourceOptions extends WorkloadApiOptions {
  /** Gives up waiting for the first bundles; it waits for as long as it takes without it. */
  readonly signal?: AbortSignal;
  readonly now?: () => Date;
}

/**
 * A program's JWT-SVIDs, and the keys to verify those of others, over the Workload API.
 *
 *     const source = await JwtSource.open();
 *     const { token } = await source.fetch({ audience: ["orders"] });
 *     const verified = await source.verify(token, { audience: "orders" });
 */
export class JwtSource implements BundleSource {
  readonly #client: WorkloadApiClient;
  readonly #options: JwtSourceOptions;
  readonly #latest = new Latest<ReadonlyMap<TrustDomain, TrustBundle>>("a JWT bundle");

  private constructor(options: JwtSourceOptions) {
    this.#options = options;
    this.#client = new WorkloadApiClient(options);
    this.#client.watchJwtBundles(this.#latest);
  }

  /** Resolves with the first bundles; rejects as `X509Source.open`. */
  static async open(options: JwtSourceOptions = {}): Promise<JwtSource> {
    const source = new JwtSource(options);
    try {
      await source.#latest.first(options.signal);
      return source;
    } catch (error) {
      source.close();
      throw error;
    }
  }

  /** A token for these audiences; of the default identity unless told otherwise. Rejects as `fetchJwtSvids`. */
  async fetch(options: {
    readonly audience: readonly string[];
    readonly id?: SpiffeId;
    readonly signal?: AbortSignal;
  }): Promise<JwtSvid> {
    const [first] = await this.#client.fetchJwtSvids(options);
    if (first !== undefined) return first;
    throw new SpiffeError("ERR_SPIFFE_NO_IDENTITY", "the Workload API sent no token");
  }

  /** Verifies a token here, without a call: with the bundles of this moment. Rejects where those were taken back. */
  async verify(
    token: string,
    { audience }: { readonly audience: string | readonly string[] },
  ): Promise<VerifyJwtSvidResult> {
    const { now = () => new Date() } = this.#options;
    return await verifyJwtSvid(token, { audience, at: now(), bundleOf: (name) => this.bundleOf(name) });
  }

  get bundles(): ReadonlyMap<TrustDomain, TrustBundle> {
    return this.#latest.value;
  }

  bundleOf(trustDomain: TrustDomain): TrustBundle | undefined {
    return this.#latest.value.get(trustDomain);
  }

  subscribe(listener: () => void): () => void {
    return this.#latest.subscribe(listener);
  }

  close(): void {
    this.#latest.close();
    this.#client.close();
  }
}
