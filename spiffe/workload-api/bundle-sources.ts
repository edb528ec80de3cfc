import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { type BundleEndpointTarget, fetchTrustBundle } from "../bundle-endpoint/index.ts";
import { SpiffeError } from "../spiffe-error.ts";
import { parseTrustBundle, type TrustBundle } from "../trust-bundle.ts";
import type { TrustDomain } from "../trust-domain.ts";
import type { BundleSource } from "./bundle-source.ts";

/** A source that reads again and again until it is closed. */
export interface FollowedBundle extends BundleSource {
  close(): void;
}

/** How a bundle is followed. */
export interface FollowOptions {
  readonly trustDomain: TrustDomain;
  /** Time between two readings, in milliseconds. A file: 5 s; an endpoint: the bundle's refresh hint, else 5 minutes. */
  readonly everyMs?: number;
  /** Told of each reading that failed; the bundle before it stays in use. */
  readonly onProblem?: (error: unknown) => void;
}

/** How a bundle endpoint is followed. */
export interface FollowEndpointOptions extends FollowOptions {
  /** Anchors of `https_web` in place of the web's own; PEM. */
  readonly ca?: string;
  readonly now?: () => Date;
}

const FILE_MS = 5_000;
const ENDPOINT_MS = 300_000;
const MIN_ENDPOINT_MS = 60_000;

/** Follows a SPIFFE bundle document in a file. Rejects where the first reading fails, with `SpiffeError` or the file's error. */
export async function followBundleFile(file: string, options: FollowOptions): Promise<FollowedBundle> {
  const read = async (): Promise<TrustBundle> => parseTrustBundle(options.trustDomain, await readFile(file, "utf8"));
  return await PolledBundle.begin(read, options, () => FILE_MS);
}

/**
 * Follows a bundle endpoint (SPIFFE Federation, section 5), `https_web` or `https_spiffe`: an endpoint of the trust domain
 * itself is held to the newest bundle with each fetch. Rejects as `fetchTrustBundle` where the first fetch fails.
 */
export async function followBundleEndpoint(
  target: BundleEndpointTarget,
  options: FollowEndpointOptions,
): Promise<FollowedBundle> {
  const { ca, now = () => new Date(), trustDomain } = options;
  const read = (newest: TrustBundle | undefined, signal: AbortSignal): Promise<TrustBundle> =>
    fetchTrustBundle(heldTo(target, newest), { trustDomain, at: now(), signal, ...(ca !== undefined && { ca }) });
  return await PolledBundle.begin(read, options, ({ refreshHintSeconds }) =>
    refreshHintSeconds === undefined ? ENDPOINT_MS : Math.max(MIN_ENDPOINT_MS, refreshHintSeconds * 1000),
  );
}

function heldTo(target: BundleEndpointTarget, newest: TrustBundle | undefined): BundleEndpointTarget {
  if (target.profile === "https_web" || newest?.trustDomain !== target.endpointId.trustDomain) return target;
  return { ...target, bundle: newest };
}

type Read = (newest: TrustBundle | undefined, signal: AbortSignal) => Promise<TrustBundle>;

class PolledBundle implements FollowedBundle {
  readonly #read: Read;
  readonly #options: FollowOptions;
  readonly #closed = new AbortController();
  readonly #listeners = new Set<() => void>();
  #bundles: ReadonlyMap<TrustDomain, TrustBundle>;

  static async begin(
    read: Read,
    options: FollowOptions,
    pauseMs: (bundle: TrustBundle) => number,
  ): Promise<PolledBundle> {
    const first = await read(undefined, new AbortController().signal);
    const source = new PolledBundle(read, options, first);
    void source.#follow(first, pauseMs);
    return source;
  }

  private constructor(read: Read, options: FollowOptions, first: TrustBundle) {
    this.#read = read;
    this.#options = options;
    this.#bundles = new Map([[options.trustDomain, first]]);
  }

  get bundles(): ReadonlyMap<TrustDomain, TrustBundle> {
    if (!this.#closed.signal.aborted) return this.#bundles;
    throw new SpiffeError("ERR_SPIFFE_CLOSED", "the source is closed");
  }

  bundleOf(trustDomain: TrustDomain): TrustBundle | undefined {
    return this.bundles.get(trustDomain);
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#closed.abort();
    this.#listeners.clear();
  }

  async #follow(first: TrustBundle, pauseMs: (bundle: TrustBundle) => number): Promise<void> {
    const { everyMs, onProblem, trustDomain } = this.#options;
    const { signal } = this.#closed;
    for (let newest = first; ; ) {
      await delay(everyMs ?? pauseMs(newest), undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
      try {
        newest = await this.#read(newest, signal);
        if (signal.aborted) return;
        this.#bundles = new Map([[trustDomain, newest]]);
        for (const listener of [...this.#listeners]) listener();
      } catch (error) {
        onProblem?.(error);
      }
    }
  }
}

/** Several sources as one; of a trust domain that two of them know, the first counts. */
export function joinBundles(...sources: readonly BundleSource[]): BundleSource {
  return {
    get bundles() {
      return new Map([...sources].reverse().flatMap((source) => [...source.bundles]));
    },
    bundleOf: (trustDomain) => {
      for (const source of sources) {
        const bundle = source.bundleOf(trustDomain);
        if (bundle !== undefined) return bundle;
      }
      return undefined;
    },
    subscribe: (listener) => {
      const stops = sources.map((source) => source.subscribe(listener));
      return () => {
        for (const stop of stops) stop();
      };
    },
  };
}
