import {
  agentNodeOf,
  publicKeyFingerprint,
  type TrustBundle,
  verifyX509Svid,
  type X509Svid,
} from "../../spiffe/index.ts";
import { AgentError, messageOf } from "../agent-error.ts";
import { AuthorityClient } from "./authority-client.ts";
import { isTransient } from "./authority-error.ts";
import { type Credential, joinError } from "./credential.ts";
import { certificateRequest } from "./csr.ts";
import { acceptIssued, readStoredSvid, storeSvid } from "./issued.ts";
import { AGENT_FILE, Joiner, type JoinerOptions } from "./joiner.ts";
import { newPrivateKey } from "./private-key.ts";
import { backoffMs, renewAt, type Timers } from "./timers.ts";

/** Where the agent stands with the authority. `problem` is the last thing that went wrong, while it still matters. */
export type EnrolmentState =
  | { readonly kind: "joining"; readonly problem?: string }
  | { readonly kind: "enrolled"; readonly node: string; readonly svid: X509Svid; readonly problem?: string }
  /** The certificate has run out and only a new join token helps. Decisions go on from disk, within `maxStale`. */
  | { readonly kind: "expired"; readonly problem: string }
  /** The authority does not want this token. */
  | { readonly kind: "refused"; readonly problem: string };

export interface EnrolmentOptions extends JoinerOptions {
  readonly timers: Timers;
}

/** Between tries to renew, while the certificate is still good, and between tokens that the authority refuses. */
const MAX_RENEW_BACKOFF_MS = 60_000;
const MAX_SLEEP_MS = 60_000;

/**
 * The agent's own identity: joined with a token, kept on disk, renewed at half life by the certificate in use. Once that
 * has expired, only a new join token or the platform's attestation brings it back.
 */
export class Enrolment {
  readonly #options: EnrolmentOptions;
  readonly #joiner: Joiner;
  #state: EnrolmentState = { kind: "joining" };
  #client: AuthorityClient | undefined;
  #renewAtMs = 0;
  #wake = new AbortController();

  constructor(options: EnrolmentOptions) {
    this.#options = options;
    this.#joiner = new Joiner(options);
  }

  get state(): EnrolmentState {
    return this.#state;
  }

  /** Speaks with the agent's identity; undefined while there is none. */
  get client(): AuthorityClient | undefined {
    return this.#state.kind === "enrolled" ? this.#client : undefined;
  }

  /**
   * Takes up the identity on disk or joins; returns without one where the authority does not answer, and `keep` goes on trying.
   * Throws `AgentError` where only a person can help and there is nothing to decide with meanwhile.
   */
  async begin(signal: AbortSignal): Promise<void> {
    const { files, trust, clock } = this.#options;
    const svid = readStoredSvid(files, AGENT_FILE);
    const own = trust.own;
    if (svid !== undefined && own !== undefined && !this.#joiner.vouchesForNewRoot) {
      const verified = verifyX509Svid(svid.chain, own, { at: clock.now() });
      if (verified.ok) return this.#enrolled(svid, own);
      this.#state = { kind: "expired", problem: verified.message };
    }
    const credential = this.#joiner.credential;
    if (credential === undefined) {
      if (own !== undefined) return this.#runOut(this.#state.problem ?? "the agent has no certificate");
      throw new AgentError("ERR_AGENT_NOT_ENROLLED", "the agent has no identity and no join token", {
        hint: "make a join token at the authority and start the agent with it",
      });
    }
    try {
      await this.#tryJoin(credential, signal);
    } catch (error) {
      if (credential.kind === "join-token" || own === undefined || isOtherMesh(error)) throw error;
      this.#refused(credential, error);
    }
  }

  /** Joins where that is still to do, and renews at half life, until the signal is aborted. Never rejects. */
  async keep(enrolled: () => void, signal: AbortSignal): Promise<void> {
    if (this.#state.kind === "enrolled") enrolled();
    for (let failures = 0; !signal.aborted; ) {
      const waitMs = this.#waitMs(failures);
      if (waitMs === undefined) return;
      // A minute at most at a stretch: the host may have slept, or its clock may have been set.
      this.#wake = new AbortController();
      const woken = AbortSignal.any([signal, this.#wake.signal]);
      await this.#options.timers.sleep(Math.min(waitMs, MAX_SLEEP_MS), woken);
      if (signal.aborted) return;
      if (waitMs > MAX_SLEEP_MS || this.#wake.signal.aborted) continue;
      const before = this.#state.kind;
      const done = await this.#step(signal);
      failures = done ? 0 : failures + 1;
      if (before !== "enrolled" && this.client !== undefined) enrolled();
    }
  }

  /** Presents new anchors from now on. */
  trustChanged(): void {
    const own = this.#options.trust.own;
    if (own === undefined || this.#state.kind !== "enrolled") return;
    this.#client?.use({ trust: own, svid: this.#state.svid });
  }

  /** Renews at once what one of these keys has signed. */
  replace(tainted: ReadonlySet<string>): void {
    if (this.#state.kind !== "enrolled") return;
    if (!this.#state.svid.chain.some((link) => tainted.has(publicKeyFingerprint(link)))) return;
    this.#renewAtMs = Number.NEGATIVE_INFINITY;
    this.#wake.abort();
  }

  close(): void {
    this.#client?.close();
  }

  #waitMs(failures: number): number | undefined {
    const { clock, timers } = this.#options;
    switch (this.#state.kind) {
      case "joining":
        return failures === 0 ? 0 : backoffMs(failures, timers.random, this.#joinBackoff());
      case "enrolled": {
        if (failures > 0) return backoffMs(failures, timers.random, { baseMs: 1_000, maxMs: MAX_RENEW_BACKOFF_MS });
        return Math.max(0, this.#renewAtMs - clock.nowMs());
      }
      case "expired":
      case "refused":
        return undefined;
    }
  }

  /** One try of what is due; true where it worked. */
  async #step(signal: AbortSignal): Promise<boolean> {
    if (this.#state.kind === "enrolled") return await this.#tryRenew(this.#state.svid, this.#state.node, signal);
    const credential = this.#joiner.credential;
    if (credential === undefined) return false;
    try {
      await this.#tryJoin(credential, signal);
    } catch (error) {
      this.#refused(credential, error);
    }
    return this.client !== undefined;
  }

  /** A refused join token stays refused; a token of the platform's is replaced, and the node's document may be mended. */
  #refused(credential: Credential, error: unknown): void {
    const problem = messageOf(error);
    const before = this.#state.problem;
    this.#state = { kind: credential.kind === "join-token" ? "refused" : "joining", problem };
    if (problem === before) return;
    const what = credential.kind === "join-token" ? "join token" : "attestation";
    this.#options.log.error({ error: problem }, `the authority refused this agent's ${what}`);
  }

  #joinBackoff(): { readonly baseMs?: number; readonly maxMs?: number } {
    return this.#joiner.isLasting ? { baseMs: 1_000, maxMs: MAX_RENEW_BACKOFF_MS } : {};
  }

  async #tryJoin(credential: Credential, signal: AbortSignal): Promise<void> {
    try {
      const { svid, own } = await this.#joiner.join(credential, signal);
      this.#enrolled(svid, own);
    } catch (error) {
      if (!isTransient(error)) throw joinError(credential, error);
      this.#state = { kind: "joining", problem: messageOf(error) };
      this.#options.log.warn({ error: messageOf(error) }, "the agent cannot join yet and will try again");
    }
  }

  async #tryRenew(current: X509Svid, node: string, signal: AbortSignal): Promise<boolean> {
    const { clock, files, log, trust } = this.#options;
    const own = trust.own;
    if (this.#client === undefined || own === undefined) return false;
    const privateKey = newPrivateKey();
    try {
      const csr = certificateRequest(privateKey, current.id).toString("base64url");
      const answer = await this.#client.renew({ csr }, signal);
      const identity = current.id.toString();
      const svid = acceptIssued(answer.certificate, { identity, privateKey, trust: own, at: clock.now() });
      storeSvid(files, AGENT_FILE, svid);
      this.#enrolled(svid, own);
      log.info({ serial: svid.serial, notAfter: svid.notAfter.toISOString() }, "the agent's certificate is renewed");
      return true;
    } catch (error) {
      this.#renewalFailed(current, node, messageOf(error));
      return false;
    }
  }

  #renewalFailed(current: X509Svid, node: string, problem: string): void {
    const { clock, log } = this.#options;
    log.warn({ error: problem }, "the agent's certificate could not be renewed");
    if (clock.nowMs() < current.notAfter.getTime()) {
      this.#state = { kind: "enrolled", node, svid: current, problem };
      return;
    }
    if (this.#joiner.credential === undefined) this.#runOut(problem);
    else this.#state = { kind: "joining", problem };
  }

  #runOut(problem: string): void {
    this.#state = { kind: "expired", problem };
    this.#options.log.error(
      { error: problem },
      "the agent's certificate has expired: make a join token for its node and start it anew",
    );
  }

  #enrolled(svid: X509Svid, trust: TrustBundle): void {
    const node = agentNodeOf(svid.id) ?? "";
    if (this.#client === undefined) {
      const now = (): Date => this.#options.clock.now();
      this.#client = new AuthorityClient({ url: this.#options.url, credentials: { trust, svid }, now });
    } else {
      this.#client.use({ trust, svid });
    }
    this.#state = { kind: "enrolled", node, svid };
    this.#renewAtMs = renewAt(svid, this.#options.timers.random).getTime();
  }
}

function isOtherMesh(error: unknown): boolean {
  return error instanceof AgentError && error.code === "ERR_AGENT_OTHER_MESH";
}
