import type { Federation } from "../../policies/index.ts";
import type { BundleEndpointTarget, fetchTrustBundle } from "../../spiffe/bundle-endpoint/index.ts";
import { formatTrustBundle, parseTrustBundle, type TrustBundle, type TrustDomain } from "../../spiffe/index.ts";
import { admitBundle } from "./admit-bundle.ts";
import type { ForeignBundleStore, KeptForeignBundle } from "./foreign-bundle-store.ts";
import { type Origin, readOrigin } from "./origin.ts";

/** What following a foreign trust domain stands on. */
export interface ForeignDomainOptions {
  readonly clock: () => Date;
  readonly store: ForeignBundleStore;
  /** The bundle that vouches for servers of a trust domain; the own and the other federated ones. */
  readonly vouching: (trustDomain: TrustDomain) => TrustBundle | undefined;
  readonly changed: () => void;
  /** Told of a problem when it is another one than before. */
  readonly problem: (trustDomain: TrustDomain, problem: string) => void;
  /** Asks a bundle endpoint. */
  readonly fetch: typeof fetchTrustBundle;
  /** The least time between two requests, in seconds, whatever the bundle says. */
  readonly leastPollSeconds: number;
  /** Anchors of `https_web` in place of the web's own; PEM. */
  readonly webRoots?: string | undefined;
}

/** What is known of a foreign trust domain now. */
export interface ForeignDomainState {
  readonly config: Federation;
  readonly bundle?: TrustBundle;
  /** The same as a SPIFFE bundle document. */
  readonly document?: string;
  /** When the endpoint last gave it, or said the same again. */
  readonly fetchedAt?: Date;
  readonly nextAt?: Date;
  /** Why the newest attempt came to nothing. */
  readonly problem?: string;
}

const DEFAULT_HINT_SECONDS = 300;
/** How often a file with the bundle to begin with is looked at. */
const REREAD_SECONDS = 1;
/** No hint keeps us away for longer. */
const MOST_POLL_SECONDS = 86_400;

/** Follows the bundle of one foreign trust domain: asks its endpoint as often as the bundle says. */
export class ForeignDomain {
  readonly #options: ForeignDomainOptions;
  readonly #stop = new AbortController();
  #state: ForeignDomainState;
  #origin = "";
  #timer: NodeJS.Timeout | undefined;
  #rereadTimer: NodeJS.Timeout | undefined;
  #turn: Promise<void> = Promise.resolve();
  #fileProblem = false;

  constructor(config: Federation, options: ForeignDomainOptions) {
    this.#options = options;
    this.#state = { config };
  }

  get state(): ForeignDomainState {
    return this.#state;
  }

  /** Takes up what is kept, or begins with the mesh's bundle, and asks the endpoint from now on. Never rejects. */
  async begin(kept: KeptForeignBundle | undefined): Promise<void> {
    await this.#begin(kept);
    this.#watchFile();
    if (this.#state.config.endpoint !== undefined) this.#schedule(0);
  }

  /** Asks now, and resolves when the answer was taken in or refused. */
  refresh(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#reread()).then(() => this.#poll());
    return this.#turn;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    clearTimeout(this.#timer);
    clearTimeout(this.#rereadTimer);
    await this.#turn;
  }

  async #begin(kept: KeptForeignBundle | undefined): Promise<void> {
    const { config } = this.#state;
    let origin: Origin;
    try {
      origin = readOrigin(config);
    } catch (error) {
      this.#failed(`the bundle to begin with cannot be read: ${messageOf(error)}`);
      return;
    }
    this.#origin = origin.digest;
    if (kept?.origin === origin.digest)
      return this.#take(parseTrustBundle(config.trustDomain, kept.document), kept.fetchedAt);
    // Another document to begin with is how an administrator begins anew, below the sequence that was known.
    if (kept !== undefined) await this.#options.store.remove(config.trustDomain);
    if (origin.bundle === undefined) return;
    this.#take(origin.bundle, undefined);
    await this.#save();
  }

  #hasFile(): boolean {
    const { bundle } = this.#state.config;
    return bundle !== undefined && "file" in bundle && !this.#stop.signal.aborted;
  }

  #watchFile(): void {
    if (!this.#hasFile()) return;
    this.#rereadTimer = setTimeout(() => {
      this.#turn = this.#turn.then(() => this.#reread()).finally(() => this.#watchFile());
    }, REREAD_SECONDS * 1000);
    this.#rereadTimer.unref();
  }

  /** Another document in the file begins anew; a file that cannot be read takes nothing away. */
  async #reread(): Promise<void> {
    const { bundle, config, fetchedAt } = this.#state;
    if (!this.#hasFile()) return;
    try {
      const origin = readOrigin(config);
      if (this.#fileProblem && bundle !== undefined) this.#take(bundle, fetchedAt);
      this.#fileProblem = false;
      if (origin.digest === this.#origin || origin.bundle === undefined) return;
      this.#origin = origin.digest;
      this.#take(origin.bundle, undefined);
      await this.#save();
      this.#options.changed();
    } catch (error) {
      this.#fileProblem = true;
      this.#failed(`the bundle in the file cannot be read: ${messageOf(error)}`);
    }
  }

  async #poll(): Promise<void> {
    const { config } = this.#state;
    clearTimeout(this.#timer);
    if (this.#stop.signal.aborted || config.endpoint === undefined) return;
    try {
      await this.#ask();
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      this.#failed(messageOf(error));
    }
    const { bundle } = this.#state;
    const hint = bundle?.refreshHintSeconds ?? DEFAULT_HINT_SECONDS;
    this.#schedule(Math.min(Math.max(hint, this.#options.leastPollSeconds), MOST_POLL_SECONDS));
  }

  async #ask(): Promise<void> {
    const { clock, fetch, webRoots } = this.#options;
    const { trustDomain } = this.#state.config;
    const { signal } = this.#stop;
    const at = clock();
    const next = await fetch(this.#target(), {
      trustDomain,
      at,
      signal,
      ...(webRoots === undefined ? {} : { ca: webRoots }),
    });
    if (signal.aborted) return;
    const intake = admitBundle(this.#state.bundle, next);
    if (intake.kind === "refused") return this.#failed(`its endpoint's answer is refused: ${intake.reason}`);
    this.#take(next, at);
    await this.#save();
    if (intake.kind === "newer") this.#options.changed();
  }

  #target(): BundleEndpointTarget {
    const { endpoint, trustDomain } = this.#state.config;
    if (endpoint === undefined) throw new TypeError("a trust domain without an endpoint is not asked");
    const { profile, url } = endpoint;
    if (profile === "https_web") return { profile, url };
    const { spiffeId: endpointId } = endpoint;
    const of = endpointId.trustDomain;
    const bundle = of === trustDomain ? this.#state.bundle : this.#options.vouching(of);
    if (bundle === undefined) throw new Error(`there is no bundle of \`${of}\` to know the server by`);
    return { profile, url, endpointId, bundle };
  }

  #take(bundle: TrustBundle, fetchedAt: Date | undefined): void {
    const { config } = this.#state;
    const document = formatTrustBundle(bundle);
    this.#state = { config, bundle, document, ...(fetchedAt === undefined ? {} : { fetchedAt }) };
  }

  async #save(): Promise<void> {
    const { config, document, fetchedAt } = this.#state;
    if (document === undefined) return;
    const { trustDomain } = config;
    const at = fetchedAt === undefined ? {} : { fetchedAt };
    await this.#options.store.save({ trustDomain, origin: this.#origin, document, ...at });
  }

  #failed(problem: string): void {
    if (problem !== this.#state.problem) this.#options.problem(this.#state.config.trustDomain, problem);
    this.#state = { ...this.#state, problem };
  }

  #schedule(seconds: number): void {
    if (this.#stop.signal.aborted) return;
    this.#state = { ...this.#state, nextAt: new Date(this.#options.clock().getTime() + seconds * 1000) };
    this.#timer = setTimeout(() => void this.refresh(), seconds * 1000);
    this.#timer.unref();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
