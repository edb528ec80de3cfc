import type { NodeTrustReport, NodeWorkloads, TrustBundles } from "../../protocol/index.ts";
import { agentNodeOf, certificatesToPem, parseX509Svid, systemId } from "../../spiffe/index.ts";
import { messageOf } from "../agent-error.ts";
import type { Logger } from "../logger.ts";
import type { MonotonicClock } from "../monotonic-clock.ts";
import { trustHash } from "../trust-hash.ts";
import { certificateRequest } from "./csr.ts";
import type { Enrolment } from "./enrolment.ts";
import { type Caller, type HandshakeOutcome, tryHandshake } from "./handshake.ts";
import { newPrivateKey } from "./private-key.ts";
import type { ServedWorkloads } from "./served-workloads.ts";
import { nameOf, type SvidKeeper } from "./svid-keeper.ts";
import type { Timers } from "./timers.ts";
import type { TrustStore } from "./trust-store.ts";

/** What the confirmation stands on. */
export interface TrustConfirmationOptions {
  readonly trust: TrustStore;
  readonly enrolment: Enrolment;
  readonly keeper: SvidKeeper;
  readonly served: ServedWorkloads;
  readonly clock: MonotonicClock;
  readonly timers: Timers;
  readonly log: Logger;
  /** Called where the report has something new to say. */
  readonly changed: () => void;
}

interface Probe {
  readonly authority: string;
  readonly outcome: HandshakeOutcome;
}

/** A sidecar that was connected so recently still has what it was given, and comes back for more. */
const REMEMBERED_MS = 60_000;
/** Between tries of handshakes that were refused or could not be tried. */
const RETRY_MS = 2_000;
/** How long a fresh agent waits for the sidecars of an earlier one. */
const SETTLING_MS = 30_000;

/** Tells the authority which sidecars have the trust bundle in force, and does what it asks for in a rotation. */
export class TrustConfirmation {
  readonly #options: TrustConfirmationOptions;
  readonly #startedMs: number;
  readonly #seenMs = new Map<string, number>();
  readonly #probes = new Map<string, Probe>();
  #authority: string | undefined;

  constructor(options: TrustConfirmationOptions) {
    this.#options = options;
    this.#startedMs = options.clock.nowMs();
  }

  /** Nothing before the agent has a trust bundle. */
  report(): NodeTrustReport | undefined {
    const { own } = this.#options.trust;
    if (own === undefined) return undefined;
    return { bundle: trustHash(own), settling: this.#settling(), sidecars: this.#sidecars() };
  }

  /** Does what the authority asks for beside its bundle: replaces certificates, tries handshakes. Never rejects. */
  async take({ probe, tainted = [] }: TrustBundles, signal: AbortSignal): Promise<void> {
    const { enrolment, keeper, log, timers } = this.#options;
    const keys = new Set(tainted);
    if (keys.size > 0) {
      enrolment.replace(keys);
      keeper.replace(keys);
    }
    const before = this.#authority;
    this.#authority = probe;
    if (probe === undefined || probe === before) return;
    while (this.#authority === probe && !signal.aborted) {
      const done = await this.#probe(probe, signal).catch((error: unknown) => {
        if (!signal.aborted) log.warn({ error: messageOf(error) }, "handshakes for the next authority cannot be tried");
        return false;
      });
      if (done) return;
      await timers.sleep(RETRY_MS, signal);
    }
  }

  /** True once no sidecar refuses. */
  async #probe(authority: string, signal: AbortSignal): Promise<boolean> {
    const { changed, keeper, log } = this.#options;
    const caller = await this.#caller(signal);
    if (caller === undefined) return false;
    const outcomes = await Promise.all(
      [...keeper.kept.values()].map(async ({ workload }) => {
        const outcome = await probeAll(workload, caller);
        this.#probes.set(workload.identity, { authority, outcome });
        if (outcome === "refused")
          log.error({ workload: nameOf(workload) }, "a sidecar refuses a certificate of the next authority");
        return outcome;
      }),
    );
    changed();
    return !outcomes.includes("refused");
  }

  /** The agent's own identity with a certificate of the authority that is about to sign. */
  async #caller(signal: AbortSignal): Promise<Caller | undefined> {
    const { enrolment, trust } = this.#options;
    const { client, state } = enrolment;
    const { own } = trust;
    if (client === undefined || own === undefined || state.kind !== "enrolled") return undefined;
    const privateKey = newPrivateKey();
    const id = systemId(own.trustDomain, `agent/${agentNodeOf(state.svid.id) ?? ""}`);
    const issued = await client.probe({ csr: certificateRequest(privateKey, id).toString("base64url") }, signal);
    const chain = issued.chain.map((der) => Buffer.from(der, "base64url"));
    return { cert: certificatesToPem(parseX509Svid({ chain, privateKey }).chain), key: privateKey };
  }

  #sidecars(): NodeTrustReport["sidecars"] {
    const { clock, served } = this.#options;
    const nowMs = clock.nowMs();
    return [...served.served.values()].flatMap(({ local, secrets }) => {
      const status = secrets?.status();
      const { identity } = local.workload;
      if (status === undefined) return [];
      if (status.subscribed > 0) this.#seenMs.set(identity, nowMs);
      if (nowMs - (this.#seenMs.get(identity) ?? Number.NEGATIVE_INFINITY) > REMEMBERED_MS) return [];
      const problem = status.problem ?? status.rejected[0]?.reason;
      const probe = this.#probes.get(identity);
      return [
        {
          workload: nameOf(local.workload),
          ...(status.confirmed === undefined ? {} : { confirmed: status.confirmed }),
          ...(status.serial === undefined ? {} : { serial: status.serial }),
          ...(probe === undefined ? {} : { probe }),
          ...(problem === undefined ? {} : { problem: problem.slice(0, 1024) }),
        },
      ];
    });
  }

  /** Sidecars that an earlier run of the agent has served may still be on their way back. */
  #settling(): boolean {
    const { clock, keeper, served } = this.#options;
    if (clock.nowMs() - this.#startedMs > SETTLING_MS) return false;
    return [...keeper.kept.values()].some(({ knownBefore, workload }) => {
      const secrets = served.served.get(workload.identity)?.secrets;
      return knownBefore && (secrets === undefined || secrets.status().subscribed === 0);
    });
  }
}

type NodeWorkload = NodeWorkloads["workloads"][number];

/** The worst of all listeners of a sidecar. */
async function probeAll({ handshakes = [] }: NodeWorkload, caller: Caller): Promise<HandshakeOutcome> {
  const outcomes = await Promise.all(handshakes.map((place) => tryHandshake(place, caller)));
  if (outcomes.includes("refused")) return "refused";
  return outcomes.includes("accepted") ? "accepted" : "no-listener";
}
