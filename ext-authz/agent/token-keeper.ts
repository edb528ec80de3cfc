import { type JwtSvid, type SpiffeId, verifyJwtSvid } from "../../spiffe/index.ts";
import type { JwtSvidIssue } from "../../spiffe/workload-api/index.ts";
import { messageOf } from "../agent-error.ts";
import type { Logger } from "../logger.ts";
import type { MonotonicClock } from "../monotonic-clock.ts";
import type { AuthorityClient } from "./authority-client.ts";
import { isTransient } from "./authority-error.ts";
import type { TrustStore } from "./trust-store.ts";

export interface TokenKeeperOptions {
  readonly trust: Pick<TrustStore, "own">;
  readonly clock: Pick<MonotonicClock, "now">;
  readonly log: Logger;
  /** The client with the agent's identity; undefined while there is none. */
  readonly client: () => Pick<AuthorityClient, "jwtSvids"> | undefined;
  /** Aborted when the agent stops. */
  readonly signal: AbortSignal;
}

interface Kept {
  readonly token: string;
  /** Half of its life: from then on a new one is asked for first. */
  readonly renewAt: number;
}

const MAX_KEPT = 1000;

/**
 * Obtains JWT-SVIDs, and gives the same token again for the same audiences until half of its life is over, or all of it
 * where the authority is away.
 *
 * SECURITY: a token is verified each time before it leaves, against the anchors of that moment: one that a withdrawn key
 * signed is not handed out, however fresh.
 */
export class TokenKeeper {
  readonly #options: TokenKeeperOptions;
  readonly #kept = new Map<string, Kept>();
  readonly #asked = new Map<string, Promise<JwtSvidIssue>>();

  constructor(options: TokenKeeperOptions) {
    this.#options = options;
  }

  /** A token of a workload that this node runs. Never rejects. */
  async issue(id: SpiffeId, audience: readonly string[]): Promise<JwtSvidIssue> {
    const key = JSON.stringify([id.toString(), [...new Set(audience)].sort()]);
    const kept = await this.#stillGood(key, id, audience);
    if (kept !== undefined && kept.renewAt > this.#options.clock.now().getTime())
      return { ok: true, token: kept.token };
    const asked = this.#asked.get(key) ?? this.#ask(key, id, audience);
    const fresh = await asked;
    // What is denied is denied; what merely fails is bridged.
    return !fresh.ok && fresh.kind === "unavailable" && kept !== undefined ? { ok: true, token: kept.token } : fresh;
  }

  async #stillGood(key: string, id: SpiffeId, audience: readonly string[]): Promise<Kept | undefined> {
    const kept = this.#kept.get(key);
    if (kept === undefined) return undefined;
    if ((await this.#verified(kept.token, id, audience)).ok) return kept;
    this.#kept.delete(key);
    return undefined;
  }

  #ask(key: string, id: SpiffeId, audience: readonly string[]): Promise<JwtSvidIssue> {
    const asked = this.#request(key, id, audience).finally(() => this.#asked.delete(key));
    this.#asked.set(key, asked);
    return asked;
  }

  async #request(key: string, id: SpiffeId, audience: readonly string[]): Promise<JwtSvidIssue> {
    const { client, log, signal } = this.#options;
    const identity = id.toString();
    try {
      const message = { requests: [{ identity, audience: [...new Set(audience)] }] };
      const answer = await client()?.jwtSvids(message, signal);
      const token = answer?.tokens[0]?.token;
      if (token === undefined) return { ok: false, kind: "unavailable" };
      const verified = await this.#verified(token, id, audience);
      if (!verified.ok) throw new Error(`the token is refused: ${verified.message}`);
      this.#keep(key, verified.svid);
      return { ok: true, token };
    } catch (error) {
      if (!signal.aborted) log.warn({ identity, error: messageOf(error) }, "no token for a workload");
      if (isTransient(error) || !isRefusal(error)) return { ok: false, kind: "unavailable" };
      this.#kept.delete(key);
      return { ok: false, kind: "denied" };
    }
  }

  /** Whether a token is of that identity, for all of the audiences, and signed by an anchor of now. */
  async #verified(token: string, id: SpiffeId, audience: readonly string[]) {
    const { clock, trust } = this.#options;
    const result = await verifyJwtSvid(token, { audience, at: clock.now(), bundleOf: () => trust.own });
    if (!result.ok) return result;
    const { svid } = result;
    const fits = svid.id.equals(id) && audience.every((one) => svid.audience.includes(one));
    return fits ? result : { ok: false as const, message: "it is of another identity, or for another audience" };
  }

  #keep(key: string, svid: JwtSvid): void {
    const nowMs = this.#options.clock.now().getTime();
    this.#kept.delete(key);
    const [oldest] = this.#kept.keys();
    if (this.#kept.size >= MAX_KEPT && oldest !== undefined) this.#kept.delete(oldest);
    this.#kept.set(key, { token: svid.token, renewAt: nowMs + (svid.expiresAt.getTime() - nowMs) / 2 });
  }
}

/** Whether the authority said no, rather than something that cannot be used. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ERR_AGENT_AUTHORITY_REFUSED";
}
