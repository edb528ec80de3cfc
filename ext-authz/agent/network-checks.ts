import type { X509Certificate } from "node:crypto";
import { printable } from "../../policies/index.ts";
import { certificatesToPem, normalizeSerial, parseSpiffeId, verifyX509Svid } from "../../spiffe/index.ts";
import type { NetworkStatus } from "../agent-status.ts";
import { type CheckHandler, createCheckHandler } from "../check-handler.ts";
import type { DecisionLog } from "../decision-log.ts";
import type { Logger } from "../logger.ts";
import type { AgentMetrics } from "../metrics.ts";
import type { MonotonicClock } from "../monotonic-clock.ts";
import type { PolicyState } from "../policy-state.ts";
import { type CheckListener, type ClientVerdict, type ConnectionResult, startCheckListener } from "./check-listener.ts";
import type { Enrolment } from "./enrolment.ts";
import type { ServedWorkloads } from "./served-workloads.ts";
import type { StateDir } from "./state-dir.ts";
import type { TrustStore } from "./trust-store.ts";

/** What checks over the network need. */
export interface NetworkChecksOptions {
  readonly clock: MonotonicClock;
  readonly files: StateDir;
  readonly state: PolicyState;
  readonly trust: TrustStore;
  readonly enrolment: Enrolment;
  readonly served: ServedWorkloads;
  readonly metrics: AgentMetrics;
  readonly decisionLog: DecisionLog;
  readonly log: Logger;
}

/** Name in records and metrics of whatever no workload of this agent asks for. */
const NO_WORKLOAD = "unknown";
const MAX_REFUSING_HANDLERS = 1_000;
const ROOTS_FILE = "roots.pem";
const SAY_AGAIN_MS = 10_000;

/** Serves `Check` to sidecars elsewhere: each asks for the workload whose certificate it shows, and for no other. */
export class NetworkChecks {
  readonly #options: NetworkChecksOptions;
  readonly #refusing = new Map<string, CheckHandler>();
  readonly #refused = new Map<ConnectionResult, number>();
  #listener: CheckListener | undefined;
  #saidMs = Number.NEGATIVE_INFINITY;

  constructor(options: NetworkChecksOptions) {
    this.#options = options;
  }

  /** Throws `AgentError` `ERR_AGENT_LISTEN`. */
  async listen(where: { readonly host: string; readonly port: number }): Promise<void> {
    this.#writeRoots();
    this.#listener = await startCheckListener({
      ...where,
      identity: () => this.#identity(),
      now: () => this.#options.clock.now(),
      judge: (chain) => this.#judge(chain),
      handlerOf: (identity) => this.#handlerOf(identity),
      connected: (result, peer, why) => this.#connected(result, peer, why),
    });
    this.#options.log.info({ address: this.#listener.address }, "checks over the network are served");
  }

  /** Takes up the agent's newest certificate; ends what has run out. */
  refresh(): void {
    this.#listener?.refresh();
  }

  /** Takes up what has changed of trust and of revocations. */
  reconsider(): void {
    if (this.#listener === undefined) return;
    this.#listener.reconsider();
    this.#writeRoots();
  }

  /** What sidecars elsewhere verify the agent's certificate by, for whoever configures them. */
  #writeRoots(): void {
    const { files, trust } = this.#options;
    const pem = certificatesToPem(trust.own?.x509Authorities ?? []);
    if (pem !== "" && files.readText(ROOTS_FILE) !== pem) files.write(ROOTS_FILE, pem);
  }

  /** Undefined where the agent was not told to listen. */
  status(): NetworkStatus | undefined {
    if (this.#listener === undefined) return undefined;
    const identity = this.#identity();
    return {
      address: this.#listener.address,
      ...(identity === undefined
        ? {}
        : { identity: identity.id.toString(), notAfter: identity.notAfter.toISOString() }),
      connections: this.#listener.connections,
      refused: Object.fromEntries(this.#refused),
    };
  }

  async close(): Promise<void> {
    await this.#listener?.close();
  }

  #identity() {
    const { clock, enrolment } = this.#options;
    if (enrolment.state.kind !== "enrolled") return undefined;
    const { svid } = enrolment.state;
    return svid.notAfter.getTime() > clock.nowMs() ? svid : undefined;
  }

  // SECURITY: only our own trust domain's bundle: a federated domain's workload has no sidecar here to ask for.
  #judge(chain: readonly X509Certificate[]): ClientVerdict {
    const { clock, state, trust } = this.#options;
    const believed = trust.workloads;
    const bundle = believed?.bundles.get(believed.trustDomain);
    if (bundle === undefined) return { ok: false, result: "not-ready", message: "the agent has no trust bundle" };
    const verified = verifyX509Svid(chain, bundle, { at: clock.now() });
    if (!verified.ok) return { ok: false, result: "untrusted", message: verified.message };
    const identity = verified.id.toString();
    const { identities, serials } = state.revocations;
    const revoked = identities.has(identity) || serials.has(serialOf(verified.leaf));
    return revoked
      ? { ok: false, result: "revoked", message: `\`${identity}\` or its certificate is revoked` }
      : { ok: true, identity, notAfter: new Date(verified.leaf.validTo) };
  }

  #handlerOf(identity: string): CheckHandler {
    const served = this.#options.served.served.get(identity);
    return served?.handler ?? this.#refusingHandler(identity);
  }

  #refusingHandler(identity: string): CheckHandler {
    const known = this.#refusing.get(identity);
    if (known !== undefined) return known;
    const { clock, decisionLog, state } = this.#options;
    const handler = createCheckHandler({
      workload: NO_WORKLOAD,
      destination: parseSpiffeId(identity),
      refuse: `this agent serves no workload with the client certificate's identity, \`${identity}\``,
      view: () => state.view,
      nowMs: () => clock.nowMs(),
      observe: (observed) => decisionLog.push(observed),
    });
    if (this.#refusing.size >= MAX_REFUSING_HANDLERS) this.#refusing.clear();
    this.#refusing.set(identity, handler);
    return handler;
  }

  #connected(result: ConnectionResult, peer: string, why: string): void {
    const { clock, log, metrics } = this.#options;
    metrics.checkConnection(result);
    if (result === "accepted") return;
    this.#refused.set(result, (this.#refused.get(result) ?? 0) + 1);
    // Whoever reaches the port can make these: one line in ten seconds, the metric counts the rest.
    if (clock.nowMs() - this.#saidMs < SAY_AGAIN_MS) return;
    this.#saidMs = clock.nowMs();
    log.warn({ peer, reason: result, detail: printable(why) }, "a sidecar's connection was refused");
  }
}

function serialOf(leaf: X509Certificate): string {
  return normalizeSerial(leaf.serialNumber);
}
