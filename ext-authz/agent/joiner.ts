import { agentNodeOf, type TrustBundle, type X509Svid } from "../../spiffe/index.ts";
import type { Logger } from "../logger.ts";
import type { MonotonicClock } from "../monotonic-clock.ts";
import { type Credential, credentialOf, type NodeAttestationOptions, pinOf } from "./credential.ts";
import { storeSvid } from "./issued.ts";
import { JoinedMark } from "./joined-mark.ts";
import { joinWith } from "./joining.ts";
import type { StateDir } from "./state-dir.ts";
import type { TrustStore } from "./trust-store.ts";

/** What an agent joins with, and where it keeps what it gets. */
export interface JoinerOptions {
  readonly url: string;
  readonly joinToken: string | undefined;
  readonly attestation?: NodeAttestationOptions | undefined;
  readonly files: StateDir;
  readonly trust: TrustStore;
  readonly clock: MonotonicClock;
  readonly log: Logger;
}

/** File of the agent's own certificate in its state folder. */
export const AGENT_FILE = "agent.json";

/** The way to an agent's first certificate, or to one after it has run out. */
export class Joiner {
  readonly #options: JoinerOptions;
  readonly #credential: Credential | undefined;
  readonly #joined: JoinedMark;

  constructor(options: JoinerOptions) {
    this.#options = options;
    this.#credential = credentialOf(options);
    this.#joined = new JoinedMark(options.files);
  }

  /** What can still be joined with. */
  get credential(): Credential | undefined {
    return this.#credential === undefined || this.#joined.isUsedUp(this.#credential) ? undefined : this.#credential;
  }

  /** Whether the platform vouches for the node, today as tomorrow, and not a token that is good once. */
  get isLasting(): boolean {
    return this.#credential?.kind === "attestation";
  }

  get vouchesForNewRoot(): boolean {
    const { credential } = this;
    return credential !== undefined && this.#joined.vouchesForNewRoot(credential, this.#options.trust.own);
  }

  /** Joins, and keeps certificate and trust bundle. Throws as `joinWith` does. */
  async join(
    credential: Credential,
    signal: AbortSignal,
  ): Promise<{ readonly svid: X509Svid; readonly own: TrustBundle }> {
    const { url, clock, files, log, trust } = this.#options;
    const newRoot = this.vouchesForNewRoot;
    const now = (): Date => clock.now();
    const joined = await joinWith(credential, { url, now, own: trust.own, newRoot, signal });
    const { svid, own, trustBundle } = joined;
    trust.begin(own.trustDomain, trustBundle);
    storeSvid(files, AGENT_FILE, svid);
    this.#joined.note(credential);
    log.info({ node: agentNodeOf(svid.id), serial: svid.serial }, "the agent has joined");
    if (newRoot) log.warn({ root: pinOf(credential) }, "the authority's root was replaced while this agent was away");
    return { svid, own };
  }
}
