import type { NodeWorkloads } from "../../protocol/index.ts";
import { AgentError, messageOf } from "../agent-error.ts";
import type { AgentStatus } from "../agent-status.ts";
import { DecisionLog, type DecisionLogOptions } from "../decision-log.ts";
import { type Logger, stderrLogger } from "../logger.ts";
import { AgentMetrics } from "../metrics.ts";
import { MonotonicClock, systemClock } from "../monotonic-clock.ts";
import { type ObservabilityServer, startObservability } from "../observability-server.ts";
import { PolicyState } from "../policy-state.ts";
import { lockRunDir, type RunDirLock } from "../run-dir-lock.ts";
import { prepareRunDir } from "../socket-folder.ts";
import type { AuthorityClient } from "./authority-client.ts";
import { BundleIntake } from "./bundle-intake.ts";
import { Enrolment } from "./enrolment.ts";
import type { Taken } from "./follow.ts";
import { readWorkloads } from "./local-workloads.ts";
import type { Intake, Refusal } from "./refusal.ts";
import { RevocationIntake } from "./revocation-intake.ts";
import { ServedWorkloads } from "./served-workloads.ts";
import { StateDir } from "./state-dir.ts";
import { missing, type StatusSources, statusOf } from "./status.ts";
import { type Subscriptions, subscribe, type Takers } from "./subscriptions.ts";
import { SvidKeeper } from "./svid-keeper.ts";
import { systemTimers, type Timers } from "./timers.ts";
import { TrustStore } from "./trust-store.ts";

/** How an agent is made. */
export interface AgentOptions {
  /** `https://host:port` */
  readonly authorityUrl: string;
  /** Needed once, for the first start on a node. */
  readonly joinToken?: string;
  /** The agent's own folder: key, certificate, last bundle, shards, revocations, clock. */
  readonly stateDir: string;
  /** Where the workloads' sockets are made. */
  readonly runDir: string;
  readonly clock?: () => Date;
  readonly timers?: Timers;
  readonly log?: Logger;
  readonly decisionLog?: DecisionLogOptions;
  /** Where metrics, probes and status are served; nowhere without it. Port 0 takes a free one. */
  readonly metrics?: { readonly host: string; readonly port: number } | undefined;
  /** How long an expired bundle still decides, in milliseconds; one hour without it. */
  readonly maxStaleMs?: number;
}

/** The agent beside the sidecars of one host. */
export interface Agent {
  /**
   * Takes up or obtains the agent's identity and opens the workloads' sockets. Resolves too where the authority does not answer: then
   * the agent decides from its disk, or goes on trying. Throws `AgentError` where only a person can help.
   */
  start(): Promise<void>;
  ready(): boolean;
  status(): AgentStatus;
  /** Closes and removes the sockets; what is being answered is finished. */
  stop(): Promise<void>;
  readonly metricsUrl: string | undefined;
}

const DEFAULT_MAX_STALE_MS = 3_600_000;
const FIRST_ROUND_MS = 2_000;
const CLOCK_SAVE_MS = 30_000;
const TICK_MS = 5_000;
const REPORT_MS = 30_000;
const CLOCK_FILE = "clock.json";
const WORKLOADS_FILE = "workloads.json";

/** Makes an agent; nothing happens before `start`. */
export function createAgent(options: AgentOptions): Agent {
  return new NodeAgent(options);
}

class NodeAgent implements Agent {
  readonly #options: AgentOptions;
  readonly #log: Logger;
  readonly #timers: Timers;
  readonly #files: StateDir;
  readonly #clock: MonotonicClock;
  readonly #state: PolicyState;
  readonly #trust: TrustStore;
  readonly #metrics: AgentMetrics;
  readonly #decisionLog: DecisionLog;
  readonly #enrolment: Enrolment;
  readonly #bundles: BundleIntake;
  readonly #revocations: RevocationIntake;
  readonly #keeper: SvidKeeper;
  readonly #served: ServedWorkloads;
  readonly #sources: StatusSources;
  readonly #stopping = new AbortController();
  readonly #background: Promise<unknown>[] = [];
  #phase: "new" | "starting" | "open" | "stopped" = "new";
  #workloads: NodeWorkloads | undefined;
  #contact: { reachable: boolean; last: Date | undefined; problem: string | undefined } = {
    reachable: false,
    last: undefined,
    problem: undefined,
  };
  #refused: { bundle: Refusal | undefined; revocations: Refusal | undefined } = {
    bundle: undefined,
    revocations: undefined,
  };
  #dropped = 0;
  #freshness = "none";
  #lock: RunDirLock | undefined;
  #observability: ObservabilityServer | undefined;
  #subscriptions: Subscriptions | undefined;
  #reportNow = new AbortController();

  constructor(options: AgentOptions) {
    const maxStaleMs = options.maxStaleMs ?? DEFAULT_MAX_STALE_MS;
    this.#options = options;
    this.#log = options.log ?? stderrLogger();
    this.#timers = options.timers ?? systemTimers;
    this.#files = new StateDir(options.stateDir);
    this.#clock = new MonotonicClock(systemClock(options.clock), this.#savedClock());
    this.#state = new PolicyState(maxStaleMs);
    this.#trust = new TrustStore(this.#files);
    this.#metrics = new AgentMetrics({
      view: () => this.#state.view,
      revocations: () => this.#state.revocations.sequence,
      nowMs: () => this.#clock.nowMs(),
    });
    this.#decisionLog = new DecisionLog(options.decisionLog ?? {}, {
      counted: (observed) => this.#metrics.counted(observed),
      dropped: (records) => {
        this.#dropped += records;
        this.#metrics.dropped(records);
      },
      failed: (message) => this.#log.error({ error: message }, "the decision log failed"),
    });
    const parts = { files: this.#files, clock: this.#clock, timers: this.#timers, log: this.#log, trust: this.#trust };
    const { joinToken } = options;
    this.#enrolment = new Enrolment({ ...parts, url: options.authorityUrl, joinToken });
    const intake = { files: this.#files, clock: this.#clock, state: this.#state, trust: () => this.#trust.own };
    this.#bundles = new BundleIntake({
      ...intake,
      fetchShard: (sha256) => this.#client().shard(sha256, this.#stopping.signal),
    });
    this.#revocations = new RevocationIntake(intake);
    this.#keeper = new SvidKeeper({
      ...parts,
      client: () => this.#enrolment.client,
      revocations: () => this.#state.revocations,
      changed: (workload, svid) => this.#metrics.svid(workload, svid?.notAfter),
    });
    this.#served = new ServedWorkloads({
      ...parts,
      runDir: options.runDir,
      state: this.#state,
      keeper: this.#keeper,
      metrics: this.#metrics,
      decisionLog: this.#decisionLog,
    });
    this.#sources = this.#statusSources(maxStaleMs);
  }

  get metricsUrl(): string | undefined {
    return this.#observability?.url;
  }

  ready(): boolean {
    return this.#phase === "open" && missing(this.#sources).length === 0;
  }

  status(): AgentStatus {
    return statusOf(this.#sources);
  }

  async start(): Promise<void> {
    if (this.#phase !== "new") throw new AgentError("ERR_AGENT_LIFECYCLE", "the agent was started already");
    this.#phase = "starting";
    try {
      await this.#start();
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  async stop(): Promise<void> {
    if (this.#phase === "stopped") return;
    this.#phase = "stopped";
    this.#stopping.abort();
    await Promise.all(this.#background);
    await this.#served.close();
    await this.#decisionLog.close();
    await this.#observability?.close();
    this.#observability = undefined;
    this.#enrolment.close();
    this.#saveClock();
    await this.#lock?.release();
  }

  async #start(): Promise<void> {
    const { metrics, runDir } = this.#options;
    const { signal } = this.#stopping;
    prepareRunDir(runDir, { otherUsers: false });
    this.#lock = await lockRunDir(runDir);
    if (metrics !== undefined) {
      const sources = { ready: () => this.ready(), status: () => this.status(), registry: this.#metrics.registry };
      this.#observability = await startObservability(metrics, sources);
    }
    await this.#restore();
    await this.#enrolment.begin(signal);
    this.#run(this.#enrolment.keep(() => this.#subscribe(), signal));
    this.#run(this.#keeper.keep(signal));
    this.#run(this.#tick(signal));
    this.#run(this.#report(signal));
    await this.#firstRound(signal);
    if (signal.aborted) throw new AgentError("ERR_AGENT_LIFECYCLE", "the agent was stopped while it started");
    if (this.#workloads !== undefined) await this.#served.reconcile(this.#workloads);
    this.#phase = "open";
    const { epoch, revision, source } = this.status().policy;
    const fields = { epoch, revision, source, reachable: this.#contact.reachable };
    if (source === "disk")
      this.#log.warn(fields, "the agent decides from its disk: the authority has not confirmed the policy");
    else this.#log.info(fields, "the agent is up");
  }

  /** Everything on disk, verified again, in the order in which it depends on each other. */
  async #restore(): Promise<void> {
    this.#trust.restore();
    const workloads = readWorkloads(this.#files.readJson(WORKLOADS_FILE));
    this.#note("revocations", await this.#revocations.restore());
    if (workloads !== undefined) {
      this.#workloads = workloads;
      await this.#bundles.serve(workloads.workloads.map((workload) => workload.identity));
      this.#keeper.serve(workloads.workloads);
    }
    this.#note("bundle", await this.#bundles.restore());
  }

  /** Asks for what is current, for at most two seconds. */
  async #firstRound(signal: AbortSignal): Promise<void> {
    const round = this.#subscriptions?.firstRound;
    if (round === undefined) return;
    const over = new AbortController();
    await Promise.race([round, this.#timers.sleep(FIRST_ROUND_MS, AbortSignal.any([signal, over.signal]))]);
    over.abort();
  }

  #subscribe(): void {
    this.#keeper.wake();
    if (this.#subscriptions !== undefined) return;
    this.#subscriptions = subscribe({
      client: () => this.#client(),
      takers: this.#takers(),
      answered: () => this.#answered(),
      failed: (error, message) => this.#failed(error, message),
      timers: this.#timers,
      signal: this.#stopping.signal,
    });
    this.#run(this.#subscriptions.ended);
  }

  #takers(): Takers {
    return {
      trustBundles: async (message) => {
        if (!this.#trust.take(message)) return "kept";
        this.#enrolment.trustChanged();
        this.#keeper.reconsider();
        this.#served.refreshSecrets();
        return "kept";
      },
      workloads: async (message) => {
        this.#workloads = message;
        this.#files.writeJson(WORKLOADS_FILE, message);
        this.#keeper.serve(message.workloads);
        const intake = await this.#bundles.serve(message.workloads.map((workload) => workload.identity));
        this.#changed("bundle", intake);
        if (this.#phase === "open") await this.#served.reconcile(message);
        return "kept";
      },
      revocations: async (envelope) => this.#changed("revocations", await this.#revocations.take(envelope)),
      bundle: async (envelope) => this.#changed("bundle", await this.#bundles.take(envelope)),
    };
  }

  /** What follows from a document that was taken in. */
  #changed(what: "bundle" | "revocations", intake: Intake): Taken {
    this.#note(what, intake);
    if (intake.kind !== "applied") return intake.kind === "refused" ? "refused" : "kept";
    if (what === "revocations") this.#keeper.reconsider();
    this.#served.refreshSecrets();
    this.#saveClock();
    this.#reportNow.abort();
    return "kept";
  }

  /** Log, metrics and status of an intake. */
  #note(what: "bundle" | "revocations", intake: Intake): void {
    if (intake.kind !== "refused") {
      this.#refused = { ...this.#refused, [what]: undefined };
      if (intake.kind === "applied") this.#logApplied(what);
      return;
    }
    const { detail, reason } = intake.refusal;
    const before = this.#refused[what];
    this.#refused = { ...this.#refused, [what]: intake.refusal };
    this.#metrics.refused(what, reason);
    if (before?.reason === reason && before.detail === detail) return;
    const fields = { reason, detail, ...(reason === "revision-conflict" ? { alarm: true } : {}) };
    this.#log.error(fields, `the offered ${what} is refused; what was in force stays`);
  }

  #logApplied(what: "bundle" | "revocations"): void {
    const { bundle } = this.#state.view;
    const fields =
      what === "bundle"
        ? {
            epoch: bundle?.epoch,
            revision: bundle?.revision,
            source: bundle?.source,
            destinations: bundle?.destinations.length,
          }
        : { sequence: this.#state.revocations.sequence };
    this.#log.info(fields, `${what} in force`);
  }

  #answered(): void {
    if (!this.#contact.reachable) this.#log.info({ url: this.#options.authorityUrl }, "the authority answers");
    this.#contact = { reachable: true, last: this.#clock.now(), problem: undefined };
    this.#metrics.authorityReachable(true);
  }

  #failed(error: unknown, message: string): void {
    const code = error instanceof AgentError ? error.code : "unknown";
    this.#metrics.authorityFailed(code);
    const away = code === "ERR_AGENT_AUTHORITY_UNREACHABLE" || code === "ERR_AGENT_AUTHORITY_UNTRUSTED";
    if (this.#contact.problem !== message)
      this.#log.warn({ code, error: message }, "an exchange with the authority failed");
    this.#contact = { ...this.#contact, reachable: this.#contact.reachable && !away, problem: message };
    this.#metrics.authorityReachable(this.#contact.reachable);
  }

  #client(): AuthorityClient {
    const client = this.#enrolment.client;
    if (client !== undefined) return client;
    throw new AgentError("ERR_AGENT_NOT_ENROLLED", "the agent has no valid identity to speak to the authority with");
  }

  /** Notices when the policy expires and goes stale, and keeps the clock on disk. */
  async #tick(signal: AbortSignal): Promise<void> {
    let savedMs = this.#clock.nowMs();
    while (!signal.aborted) {
      const nowMs = this.#clock.nowMs();
      const freshness = this.#state.freshness(nowMs);
      if (freshness !== this.#freshness) {
        if (freshness === "expired" || freshness === "stale")
          this.#log.warn({ state: freshness }, `the policy is ${freshness}`);
        this.#freshness = freshness;
        this.#served.refreshSecrets();
      }
      if (nowMs - savedMs >= CLOCK_SAVE_MS) {
        savedMs = nowMs;
        this.#saveClock();
      }
      await this.#timers.sleep(TICK_MS, signal);
    }
  }

  /** Tells the authority what is in force, after each change and every half minute. */
  async #report(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#reportNow = new AbortController();
      const bundle = this.#state.view.bundle;
      const client = this.#enrolment.client;
      if (client !== undefined && bundle !== undefined) {
        const { epoch, revision } = bundle;
        const applied = { epoch, revision, revocations: this.#state.revocations.sequence };
        await client.report(applied, signal).catch((error: unknown) => {
          if (!signal.aborted) this.#failed(error, messageOf(error));
        });
      }
      await this.#timers.sleep(REPORT_MS, AbortSignal.any([signal, this.#reportNow.signal]));
    }
  }

  #run(task: Promise<unknown>): void {
    this.#background.push(
      task.catch((error: unknown) =>
        this.#log.error({ error: messageOf(error) }, "a task of the agent ended unexpectedly"),
      ),
    );
  }

  #savedClock(): Date | undefined {
    const stored = this.#files.readJson(CLOCK_FILE);
    const floor = typeof stored === "object" && stored !== null && "floor" in stored ? stored.floor : undefined;
    const at = typeof floor === "string" ? new Date(floor) : undefined;
    return at === undefined || Number.isNaN(at.getTime()) ? undefined : at;
  }

  #saveClock(): void {
    try {
      this.#files.writeJson(CLOCK_FILE, { floor: this.#clock.now().toISOString() });
    } catch (error) {
      this.#log.error({ error: messageOf(error) }, "the agent's clock could not be kept");
    }
  }

  #statusSources(maxStaleMs: number): StatusSources {
    return {
      url: this.#options.authorityUrl,
      maxStaleMs,
      clock: this.#clock,
      state: this.#state,
      trust: this.#trust,
      enrolment: this.#enrolment,
      revocations: this.#revocations,
      keeper: this.#keeper,
      served: this.#served,
      contact: () => this.#contact,
      refused: () => this.#refused,
      opened: () => this.#phase === "open",
      dropped: () => this.#dropped,
      metricsUrl: () => this.metricsUrl,
    };
  }
}
