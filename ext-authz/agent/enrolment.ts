import { type EnrolResponse, type JoinToken, parseJoinToken } from "../../protocol/index.ts";
import {
  agentNodeOf,
  parseTrustBundle,
  publicKeyFingerprint,
  systemId,
  type TrustBundle,
  verifyX509Svid,
  type X509Svid,
} from "../../spiffe/index.ts";
import { AgentError, messageOf } from "../agent-error.ts";
import type { Logger } from "../logger.ts";
import type { MonotonicClock } from "../monotonic-clock.ts";
import { AuthorityClient } from "./authority-client.ts";
import { isTransient } from "./authority-error.ts";
import { certificateRequest } from "./csr.ts";
import { pinnedTrust } from "./first-contact.ts";
import { acceptIssued, readStoredSvid, storeSvid } from "./issued.ts";
import { newPrivateKey } from "./private-key.ts";
import type { StateDir } from "./state-dir.ts";
import { backoffMs, renewAt, type Timers } from "./timers.ts";
import type { TrustStore } from "./trust-store.ts";

/** Where the agent stands with the authority. `problem` is the last thing that went wrong, while it still matters. */
export type EnrolmentState =
  | { readonly kind: "joining"; readonly problem?: string }
  | { readonly kind: "enrolled"; readonly node: string; readonly svid: X509Svid; readonly problem?: string }
  /** The certificate has run out; only a new join token helps. Decisions go on from disk, within `maxStale`. */
  | { readonly kind: "expired"; readonly problem: string }
  /** The authority does not want this token. */
  | { readonly kind: "refused"; readonly problem: string };

export interface EnrolmentOptions {
  readonly url: string;
  readonly joinToken: string | undefined;
  readonly files: StateDir;
  readonly trust: TrustStore;
  readonly clock: MonotonicClock;
  readonly timers: Timers;
  readonly log: Logger;
}

const FILE = "agent.json";
/** Between tries to renew, while the certificate is still good. */
const MAX_RENEW_BACKOFF_MS = 60_000;
const MAX_SLEEP_MS = 60_000;

/** The agent's own identity: joined with a token, kept on disk, renewed at half life. */
export class Enrolment {
  readonly #options: EnrolmentOptions;
  readonly #token: JoinToken | undefined;
  #state: EnrolmentState = { kind: "joining" };
  #client: AuthorityClient | undefined;
  #renewAtMs = 0;

  constructor(options: EnrolmentOptions) {
    this.#options = options;
    this.#token = options.joinToken === undefined ? undefined : readToken(options.joinToken);
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
    this.#refuseOtherMesh();
    const svid = readStoredSvid(files, FILE);
    const own = trust.own;
    if (svid !== undefined && own !== undefined) {
      const verified = verifyX509Svid(svid.chain, own, { at: clock.now() });
      if (verified.ok) return this.#enrolled(svid, own);
      this.#state = { kind: "expired", problem: verified.message };
    }
    if (this.#token === undefined) {
      if (own !== undefined) return;
      throw new AgentError("ERR_AGENT_NOT_ENROLLED", "the agent has no identity and no join token", {
        hint: "make a join token at the authority and start the agent with it",
      });
    }
    await this.#tryJoin(this.#token, signal);
  }

  /** Joins where that is still to do, and renews at half life, until the signal is aborted. Never rejects. */
  async keep(enrolled: () => void, signal: AbortSignal): Promise<void> {
    if (this.#state.kind === "enrolled") enrolled();
    for (let failures = 0; !signal.aborted; ) {
      const waitMs = this.#waitMs(failures);
      if (waitMs === undefined) return;
      // A minute at most at a stretch: the host may have slept, or its clock may have been set.
      await this.#options.timers.sleep(Math.min(waitMs, MAX_SLEEP_MS), signal);
      if (signal.aborted) return;
      if (waitMs > MAX_SLEEP_MS) continue;
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

  close(): void {
    this.#client?.close();
  }

  #waitMs(failures: number): number | undefined {
    const { clock, timers } = this.#options;
    switch (this.#state.kind) {
      case "joining":
        return failures === 0 ? 0 : backoffMs(failures, timers.random);
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
    if (this.#token === undefined) return false;
    try {
      await this.#tryJoin(this.#token, signal);
    } catch (error) {
      this.#state = { kind: "refused", problem: messageOf(error) };
      this.#options.log.error({ error: messageOf(error) }, "the authority refused this agent's join token");
    }
    return this.client !== undefined;
  }

  async #tryJoin(token: JoinToken, signal: AbortSignal): Promise<void> {
    try {
      await this.#join(token, signal);
    } catch (error) {
      if (!isTransient(error)) throw joinError(error);
      this.#state = { kind: "joining", problem: messageOf(error) };
      this.#options.log.warn({ error: messageOf(error) }, "the agent cannot join yet and will try again");
    }
  }

  async #join(token: JoinToken, signal: AbortSignal): Promise<void> {
    const { url, clock, files, trust } = this.#options;
    const now = (): Date => clock.now();
    const pinned = await pinnedTrust({ url, rootFingerprint: token.rootFingerprint, now, signal });
    const client = new AuthorityClient({ url, credentials: { trust: pinned }, now });
    const privateKey = newPrivateKey();
    try {
      const csr = certificateRequest(privateKey).toString("base64url");
      const answer = await client.enrol({ token: this.#options.joinToken?.trim() ?? "", csr }, signal);
      const own = bundleOf(answer, pinned, token);
      const identity = systemId(own.trustDomain, `agent/${answer.node}`).toString();
      const svid = acceptIssued(answer.certificate, { identity, privateKey, trust: own, at: now() });
      storeSvid(files, FILE, svid);
      trust.begin(own.trustDomain, answer.trustBundle);
      this.#options.log.info({ node: answer.node, serial: svid.serial }, "the agent has joined");
      this.#enrolled(svid, own);
    } finally {
      client.close();
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
      storeSvid(files, FILE, svid);
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
    this.#state = this.#token === undefined ? { kind: "expired", problem } : { kind: "joining", problem };
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

  #refuseOtherMesh(): void {
    const own = this.#options.trust.own;
    const fingerprint = this.#token?.rootFingerprint;
    if (own === undefined || fingerprint === undefined) return;
    if (own.x509Authorities.some((authority) => publicKeyFingerprint(authority) === fingerprint)) return;
    throw new AgentError(
      "ERR_AGENT_OTHER_MESH",
      `the state folder \`${this.#options.files.path}\` belongs to another authority of \`${own.trustDomain}\` than the join token`,
      { hint: "give this agent a state folder of its own, or remove that one to leave its mesh" },
    );
  }
}

/** The own trust bundle of an enrolment. SECURITY: it must hold the pinned root, or the token's promise would end here. */
function bundleOf(answer: EnrolResponse, pinned: TrustBundle, token: JoinToken): TrustBundle {
  const own = parseTrustBundle(pinned.trustDomain, answer.trustBundle);
  if (own.x509Authorities.some((authority) => publicKeyFingerprint(authority) === token.rootFingerprint)) return own;
  throw new AgentError(
    "ERR_AGENT_AUTHORITY_UNTRUSTED",
    "the authority's trust bundle lacks the root that the join token names",
  );
}

function readToken(text: string): JoinToken {
  try {
    return parseJoinToken(text);
  } catch (error) {
    throw joinError(error);
  }
}

function joinError(error: unknown): AgentError {
  if (error instanceof AgentError && error.code !== "ERR_AGENT_AUTHORITY_REFUSED") return error;
  return new AgentError("ERR_AGENT_JOIN_TOKEN", `the agent cannot join: ${messageOf(error)}`, {
    cause: error,
    hint: "join tokens are for one node and one use, within 15 minutes; make a new one at the authority",
  });
}
