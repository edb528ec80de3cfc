import type { KeyObject } from "node:crypto";
import type { PolicySet, Revocations } from "../../policies/index.ts";
import type { IssuedCertificate, NodeWorkloads } from "../../protocol/index.ts";
import { parseSpiffeId, publicKeyFingerprint, verifyX509Svid, type X509Svid } from "../../spiffe/index.ts";
import { messageOf } from "../agent-error.ts";
import type { Logger } from "../logger.ts";
import type { MonotonicClock } from "../monotonic-clock.ts";
import { WorkloadIdentity } from "../workload-identity.ts";
import { WorkloadTrust } from "../workload-trust.ts";
import type { AuthorityClient } from "./authority-client.ts";
import { isTransient } from "./authority-error.ts";
import { certificateRequest } from "./csr.ts";
import { acceptIssued, readStoredSvid, storeSvid } from "./issued.ts";
import { newPrivateKey } from "./private-key.ts";
import type { StateDir } from "./state-dir.ts";
import { backoffMs, renewAt, type Timers } from "./timers.ts";
import type { TrustStore } from "./trust-store.ts";

type NodeWorkload = NodeWorkloads["workloads"][number];

export interface SvidKeeperOptions {
  readonly files: StateDir;
  readonly trust: TrustStore;
  readonly clock: MonotonicClock;
  readonly timers: Timers;
  readonly log: Logger;
  /** The client with the agent's identity; undefined while there is none. */
  readonly client: () => Pick<AuthorityClient, "svids"> | undefined;
  readonly revocations: () => Revocations;
  /** The policy that says which foreign trust domains a workload has to do with; none without it. */
  readonly policy?: () => PolicySet | undefined;
  /** Why no certificates are to be had here, where another authority issues them; undefined where they are. */
  readonly elsewhere?: () => string | undefined;
  /** Called after each change of a workload's certificate. */
  readonly changed: (workload: string, svid: X509Svid | undefined) => void;
}

/** A workload's certificate as the agent keeps it. */
export interface KeptSvid {
  readonly workload: NodeWorkload;
  readonly identity: WorkloadIdentity;
  readonly trust: WorkloadTrust;
  /** An earlier run of the agent has served it: a sidecar of then may be on its way back. */
  readonly knownBefore: boolean;
  svid: X509Svid | undefined;
  dueMs: number;
  failures: number;
  problem: string | undefined;
  /** Whether the problem may pass by itself: without a certificate, callers are then asked to come back. */
  passing: boolean;
}

interface Wanted {
  readonly kept: KeptSvid;
  readonly privateKey: KeyObject;
}

const FOLDER = "svids";
const BATCH = 100;
const MAX_REFUSED_BACKOFF_MS = 60_000;

/** Obtains the workloads' certificates, each with a key of its own, and renews them at half life. */
export class SvidKeeper {
  readonly #options: SvidKeeperOptions;
  readonly #kept = new Map<string, KeptSvid>();
  #wake = new AbortController();

  constructor(options: SvidKeeperOptions) {
    this.#options = options;
  }

  /** By identity. */
  get kept(): ReadonlyMap<string, KeptSvid> {
    return this.#kept;
  }

  /** Takes the list of this node's workloads; new ones start with what is on disk, verified again. */
  serve(workloads: readonly NodeWorkload[]): void {
    const listed = new Map(workloads.map((workload) => [workload.identity, workload]));
    for (const [identity, kept] of this.#kept) {
      if (listed.has(identity)) continue;
      kept.identity.set({ kind: "none", reason: "the authority no longer lets this node run the workload" });
      this.#kept.delete(identity);
      this.#options.files.remove(fileOf(kept.workload));
      this.#options.changed(nameOf(kept.workload), undefined);
    }
    for (const workload of workloads) if (!this.#kept.has(workload.identity)) this.#add(workload);
    this.wake();
  }

  /** Publishes everything again, and asks anew for what the new anchors or revocations no longer let stand. */
  reconsider(): void {
    for (const kept of this.#kept.values()) {
      if (kept.svid !== undefined && this.#problemOf(kept.svid) !== undefined) kept.dueMs = Number.NEGATIVE_INFINITY;
      this.#publish(kept);
    }
    this.wake();
  }

  /** Asks anew for what one of these keys has signed; what is there serves until the new one comes. */
  replace(tainted: ReadonlySet<string>): void {
    for (const kept of this.#kept.values()) {
      if (kept.svid?.chain.some((link) => tainted.has(publicKeyFingerprint(link))))
        kept.dueMs = Number.NEGATIVE_INFINITY;
    }
    this.wake();
  }

  /** Looks at once whether something is due. */
  wake(): void {
    this.#wake.abort();
  }

  /** Runs until the signal is aborted. Never rejects. */
  async keep(signal: AbortSignal): Promise<void> {
    const { clock, timers } = this.#options;
    while (!signal.aborted) {
      this.#wake = new AbortController();
      await this.#renewDue(signal);
      const nextMs = Math.min(...[...this.#kept.values()].map((kept) => kept.dueMs), clock.nowMs() + 3_600_000);
      // A minute at most at a stretch: the host may have slept, or its clock may have been set.
      const waitMs = Math.min(60_000, Math.max(100, nextMs - clock.nowMs()));
      await timers.sleep(waitMs, AbortSignal.any([signal, this.#wake.signal]));
    }
  }

  #add(workload: NodeWorkload): void {
    const svid = readStoredSvid(this.#options.files, fileOf(workload));
    const fits = svid?.id.toString() === workload.identity && this.#problemOf(svid) === undefined ? svid : undefined;
    const kept: KeptSvid = {
      workload,
      identity: new WorkloadIdentity(),
      trust: new WorkloadTrust(workload.identity),
      knownBefore: svid !== undefined,
      svid: fits,
      dueMs: fits === undefined ? Number.NEGATIVE_INFINITY : renewAt(fits, this.#options.timers.random).getTime(),
      failures: 0,
      problem: undefined,
      passing: true,
    };
    this.#kept.set(workload.identity, kept);
    this.#publish(kept);
  }

  async #renewDue(signal: AbortSignal): Promise<void> {
    const client = this.#options.client();
    const nowMs = this.#options.clock.nowMs();
    for (const kept of this.#kept.values()) this.#publishIfOver(kept, nowMs);
    if (client === undefined || this.#options.elsewhere?.() !== undefined) return;
    const due = [...this.#kept.values()].filter((kept) => kept.dueMs <= nowMs);
    for (let at = 0; at < due.length && !signal.aborted; at += BATCH) {
      await this.#request(client, due.slice(at, at + BATCH), signal);
    }
  }

  /** Asks for several at once. The authority issues all or none, so a refused batch is asked for again one by one. */
  async #request(
    client: Pick<AuthorityClient, "svids">,
    batch: readonly KeptSvid[],
    signal: AbortSignal,
  ): Promise<void> {
    const wanted = batch.map((kept): Wanted => ({ kept, privateKey: newPrivateKey() }));
    try {
      const answer = await client.svids({ requests: wanted.map(requestOf) }, signal);
      const issued = new Map(answer.certificates.map((certificate) => [certificate.identity, certificate]));
      for (const each of wanted) this.#take(each, issued.get(each.kept.workload.identity));
    } catch (error) {
      if (signal.aborted) return;
      if (batch.length > 1 && !isTransient(error)) {
        for (const kept of batch) await this.#request(client, [kept], signal);
        return;
      }
      for (const kept of batch) this.#failed(kept, messageOf(error), isTransient(error));
    }
  }

  #take({ kept, privateKey }: Wanted, issued: IssuedCertificate | undefined): void {
    const { clock, files, timers, trust } = this.#options;
    const identity = kept.workload.identity;
    try {
      const own = trust.own;
      if (issued === undefined || own === undefined)
        throw new Error(`the answer lacks a certificate for \`${identity}\``);
      const svid = acceptIssued(issued, { identity, privateKey, trust: own, at: clock.now() });
      storeSvid(files, fileOf(kept.workload), svid);
      kept.svid = svid;
      kept.dueMs = renewAt(svid, timers.random).getTime();
      kept.failures = 0;
      kept.problem = undefined;
      this.#publish(kept);
    } catch (error) {
      this.#failed(kept, messageOf(error));
    }
  }

  #failed(kept: KeptSvid, problem: string, passing = false): void {
    const { clock, log, timers } = this.#options;
    kept.failures += 1;
    kept.dueMs = clock.nowMs() + backoffMs(kept.failures, timers.random, { maxMs: MAX_REFUSED_BACKOFF_MS });
    if (kept.problem !== problem)
      log.warn({ workload: nameOf(kept.workload), error: problem }, "no certificate for a workload");
    kept.problem = problem;
    kept.passing = passing;
    this.#publish(kept);
  }

  #publish(kept: KeptSvid): void {
    const all = this.#options.trust.state;
    const trust = all && kept.trust.of(all, this.#options.policy?.());
    const name = nameOf(kept.workload);
    const elsewhere = this.#options.elsewhere?.();
    if (elsewhere !== undefined) {
      kept.identity.set({ kind: "none", reason: elsewhere });
      this.#options.changed(name, undefined);
      return;
    }
    if (kept.svid === undefined || trust === undefined) {
      const { passing, problem } = kept;
      kept.identity.set(problem === undefined || passing ? { kind: "pending" } : { kind: "none", reason: problem });
      this.#options.changed(name, undefined);
      return;
    }
    const problem = this.#problemOf(kept.svid);
    if (problem === undefined) kept.identity.set({ kind: "present", svid: kept.svid, trust });
    else kept.identity.set({ kind: "none", reason: problem });
    this.#options.changed(name, problem === undefined ? kept.svid : undefined);
  }

  #publishIfOver(kept: KeptSvid, nowMs: number): void {
    if (kept.identity.state.kind === "present" && kept.svid !== undefined && kept.svid.notAfter.getTime() <= nowMs)
      this.#publish(kept);
  }

  /** Why a certificate must not be handed out; undefined where it may. */
  #problemOf(svid: X509Svid): string | undefined {
    const own = this.#options.trust.own;
    if (own === undefined) return "the agent has no trust anchors";
    const revocations = this.#options.revocations();
    if (revocations.identities.has(svid.id.toString())) return "the identity is revoked";
    if (revocations.serials.has(svid.serial)) return "the certificate is revoked";
    const verified = verifyX509Svid(svid.chain, own, { at: this.#options.clock.now() });
    return verified.ok ? undefined : verified.message;
  }
}

function requestOf({ kept, privateKey }: Wanted): { readonly identity: string; readonly csr: string } {
  const identity = kept.workload.identity;
  return { identity, csr: certificateRequest(privateKey, parseSpiffeId(identity)).toString("base64url") };
}

/** `<namespace>/<name>` */
export function nameOf(workload: { readonly namespace: string; readonly name: string }): string {
  return `${workload.namespace}/${workload.name}`;
}

function fileOf(workload: NodeWorkload): string {
  return `${FOLDER}/${workload.namespace}.${workload.name}.json`;
}
