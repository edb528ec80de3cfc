import type { NodeWorkloads } from "../../protocol/index.ts";
import { AgentError, messageOf } from "../agent-error.ts";
import type { AgentStatus } from "../agent-status.ts";
import { type ObservabilityServer, startObservability } from "../observability-server.ts";
import { lockRunDir, type RunDirLock } from "../run-dir-lock.ts";
import { prepareRunDir } from "../socket-folder.ts";
import type { AgentOptions } from "./agent-options.ts";
import { type AgentParts, buildParts } from "./agent-parts.ts";
import { saveClockFloor } from "./clock-file.ts";
import type { Taken } from "./follow.ts";
import type { DocumentKind } from "./intake-journal.ts";
import { readWorkloads } from "./local-workloads.ts";
import type { Intake } from "./refusal.ts";
import { missing, type StatusSources, statusOf } from "./status.ts";
import { type Subscriptions, subscribe, type Takers } from "./subscriptions.ts";
import { Upkeep } from "./upkeep.ts";

/** The agent beside the sidecars of one host. */
export interface Agent {
  /**
   * Takes up or obtains the agent's identity and opens the workloads' sockets. Resolves too where the authority does not answer: then
   * the agent decides from its disk, or goes on trying. Throws `AgentError` where only a person can help.
   */
  start(): Promise<void>;
  /** Sockets are open, a policy is in force that is not stale, and every served workload has its certificate. */
  ready(): boolean;
  status(): AgentStatus;
  /** Closes and removes the sockets; what is being answered is finished. */
  stop(): Promise<void>;
  readonly metricsUrl: string | undefined;
}

const FIRST_ROUND_MS = 2_000;
const WORKLOADS_FILE = "workloads.json";

/** Makes an agent; no socket is opened and nobody is asked before `start`. */
export function createAgent(options: AgentOptions): Agent {
  return new NodeAgent(options);
}

class NodeAgent implements Agent {
  readonly #options: AgentOptions;
  readonly #parts: AgentParts;
  readonly #sources: StatusSources;
  readonly #upkeep: Upkeep;
  readonly #stopping = new AbortController();
  readonly #background: Promise<unknown>[] = [];
  #phase: "new" | "starting" | "open" | "stopped" = "new";
  #workloads: NodeWorkloads | undefined;
  #lock: RunDirLock | undefined;
  #observability: ObservabilityServer | undefined;
  #subscriptions: Subscriptions | undefined;

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#parts = buildParts(options, this.#stopping.signal);
    this.#upkeep = new Upkeep(this.#parts);
    this.#sources = {
      ...this.#parts,
      url: options.authorityUrl,
      opened: () => this.#phase === "open",
      metricsUrl: () => this.metricsUrl,
    };
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
    const { clock, decisionLog, enrolment, external, files, log, network, served } = this.#parts;
    this.#phase = "stopped";
    this.#stopping.abort();
    external.close();
    await Promise.all(this.#background);
    await network.close();
    await served.close();
    await decisionLog.close();
    await this.#observability?.close();
    this.#observability = undefined;
    enrolment.close();
    saveClockFloor(files, clock.now(), log);
    await this.#lock?.release();
  }

  async #start(): Promise<void> {
    const { enrolment, keeper, network, reporter, served } = this.#parts;
    const { signal } = this.#stopping;
    prepareRunDir(this.#options.runDir, { otherUsers: false });
    this.#lock = await lockRunDir(this.#options.runDir);
    await this.#observe();
    await this.#restore();
    await enrolment.begin(signal);
    this.#run(enrolment.keep(() => this.#subscribe(), signal));
    this.#run(keeper.keep(signal));
    this.#run(this.#upkeep.keep(signal));
    this.#run(reporter.keep(signal));
    await this.#firstRound(signal);
    if (this.#workloads !== undefined) await served.reconcile(this.#workloads);
    if (this.#options.listen !== undefined) await network.listen(this.#options.listen);
    if (signal.aborted) throw new AgentError("ERR_AGENT_LIFECYCLE", "the agent was stopped while it started");
    this.#phase = "open";
    // What came while the sockets were opening.
    if (this.#workloads !== undefined) await served.reconcile(this.#workloads);
    this.#announce();
  }

  async #observe(): Promise<void> {
    const { metrics } = this.#options;
    if (metrics === undefined) return;
    const { registry } = this.#parts.metrics;
    this.#observability = await startObservability(metrics, {
      ready: () => this.ready(),
      status: () => this.status(),
      registry,
    });
  }

  /** Everything on disk, verified again, in the order in which it depends on each other. */
  async #restore(): Promise<void> {
    const { bundles, external, files, journal, keeper, revocations, severance, trust } = this.#parts;
    trust.restore();
    this.#upkeep.endLists();
    journal.note("revocations", await revocations.restore());
    if (revocations.document !== undefined) severance.take(revocations.document, { restored: true });
    const workloads = readWorkloads(files.readJson(WORKLOADS_FILE));
    if (workloads !== undefined) {
      this.#workloads = workloads;
      external.use(workloads.externalBundle);
      await bundles.serve(workloads.workloads.map((workload) => workload.identity));
      keeper.serve(workloads.workloads);
    }
    journal.note("bundle", await bundles.restore());
  }

  /** Waits until the authority was asked for what is current, for at most two seconds. */
  async #firstRound(signal: AbortSignal): Promise<void> {
    const round = this.#subscriptions?.firstRound;
    if (round === undefined) return;
    const over = new AbortController();
    await Promise.race([round, this.#parts.timers.sleep(FIRST_ROUND_MS, AbortSignal.any([signal, over.signal]))]);
    over.abort();
  }

  #announce(): void {
    const { contact, log, state } = this.#parts;
    const { bundle } = state.view;
    const fields = { epoch: bundle?.epoch, revision: bundle?.revision, source: bundle?.source };
    if (contact.state.reachable) log.info(fields, "the agent is up");
    else log.warn(fields, "the agent is up without the authority and decides from its disk");
  }

  #subscribe(): void {
    const { contact, keeper, network, reporter, served, timers } = this.#parts;
    network.refresh();
    // A new root may have come with the identity.
    keeper.reconsider();
    served.refreshSecrets();
    reporter.changed();
    if (this.#subscriptions !== undefined) return;
    this.#subscriptions = subscribe({
      client: () => this.#parts.client(),
      takers: this.#takers(),
      answered: () => contact.answered(),
      failed: (error, message) => contact.failed(error, message),
      timers,
      signal: this.#stopping.signal,
    });
    this.#run(this.#subscriptions.ended);
  }

  #takers(): Takers {
    const { bundles, confirmation, enrolment, keeper, network, reporter, revocations, served, trust } = this.#parts;
    return {
      trustBundles: async (message) => {
        const changed = trust.take(message);
        void confirmation.take(message, this.#stopping.signal);
        if (!changed) return "kept";
        enrolment.trustChanged();
        keeper.reconsider();
        served.refreshSecrets();
        network.reconsider();
        reporter.changed();
        return "kept";
      },
      workloads: (message) => this.#takeWorkloads(message),
      revocations: async (envelope) => this.#taken("revocations", await revocations.take(envelope)),
      bundle: async (envelope) => this.#taken("bundle", await bundles.take(envelope)),
    };
  }

  async #takeWorkloads(message: NodeWorkloads): Promise<Taken> {
    const { bundles, external, files, keeper, served } = this.#parts;
    this.#workloads = message;
    files.writeJson(WORKLOADS_FILE, message);
    external.use(message.externalBundle);
    keeper.serve(message.workloads);
    try {
      return this.#taken("bundle", await bundles.serve(message.workloads.map((workload) => workload.identity)));
    } finally {
      if (this.#phase === "open") await served.reconcile(message);
    }
  }

  /** What follows from a document that was taken in. */
  #taken(kind: DocumentKind, intake: Intake): Taken {
    const { clock, files, journal, keeper, log, network, reporter, revocations, served, severance } = this.#parts;
    if (intake.kind !== "unchanged" || kind === "revocations") journal.note(kind, intake);
    if (intake.kind !== "applied") return intake.kind === "refused" ? "refused" : "kept";
    // A bundle says which foreign trust domains a workload has to do with.
    keeper.reconsider();
    if (kind === "revocations") network.reconsider();
    served.refreshSecrets();
    if (kind === "revocations" && revocations.document !== undefined) severance.take(revocations.document);
    saveClockFloor(files, clock.now(), log);
    reporter.changed();
    return "kept";
  }

  #run(task: Promise<unknown>): void {
    const { log } = this.#parts;
    const guarded = task.catch((error: unknown) =>
      log.error({ error: messageOf(error) }, "a task of the agent ended unexpectedly"),
    );
    this.#background.push(guarded);
  }
}
