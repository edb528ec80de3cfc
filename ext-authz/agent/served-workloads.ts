import { dirname } from "node:path";
import type { OpenStreamEvent } from "../../envoy/index.ts";
import type { PolicySet } from "../../policies/index.ts";
import type { NodeWorkloads } from "../../protocol/index.ts";
import { addWorkloadApi, type WorkloadApiProvider } from "../../spiffe/workload-api/index.ts";
import { messageOf } from "../agent-error.ts";
import { type CheckHandler, createCheckHandler } from "../check-handler.ts";
import type { DecisionLog } from "../decision-log.ts";
import type { Logger } from "../logger.ts";
import type { AgentMetrics } from "../metrics.ts";
import type { MonotonicClock } from "../monotonic-clock.ts";
import { OpenStreams } from "../open-streams.ts";
import type { PolicyState } from "../policy-state.ts";
import { SidecarAccessLog } from "../sidecar-access-log.ts";
import { SidecarSecrets } from "../sidecar-secrets.ts";
import { isRoot, prepareRunDir } from "../socket-folder.ts";
import { warmUp } from "../warm-up.ts";
import type { WorkloadIdentity } from "../workload-identity.ts";
import { openWorkloadSockets, type WorkloadSockets } from "../workload-sockets.ts";
import { WorkloadTrust } from "../workload-trust.ts";
import { EdgeKeeper } from "./edge-keeper.ts";
import { type LocalWorkload, localWorkloads } from "./local-workloads.ts";
import type { Refusal } from "./refusal.ts";
import type { Severable } from "./severance.ts";
import { nameOf, type SvidKeeper } from "./svid-keeper.ts";
import type { TokenKeeper } from "./token-keeper.ts";
import type { TrustStore } from "./trust-store.ts";

/** What serving needs. */
export interface ServedWorkloadsOptions {
  readonly runDir: string;
  readonly state: PolicyState;
  readonly clock: MonotonicClock;
  readonly keeper: SvidKeeper;
  readonly tokens: TokenKeeper;
  readonly trust: TrustStore;
  readonly metrics: AgentMetrics;
  readonly decisionLog: DecisionLog;
  readonly log: Logger;
  /** Called when a sidecar has taken or rejected a secret. */
  readonly secretsSettled: () => void;
  /** Called when a sidecar tells of what stays open. */
  readonly toldOpen: (sidecar: Severable, event: OpenStreamEvent) => void;
}

/** One workload of the list and how it is served. */
export interface Served {
  readonly local: LocalWorkload;
  readonly refusal: Refusal | undefined;
  readonly secrets: SidecarSecrets | undefined;
  readonly sockets: WorkloadSockets | undefined;
  /** Decides for its sidecar, whatever way it asks. */
  readonly handler: CheckHandler | undefined;
  /** What is open at its sidecar. */
  readonly open: OpenStreams;
}

interface ServedParts {
  readonly identity: WorkloadIdentity;
  readonly secrets: SidecarSecrets;
  readonly handler: CheckHandler;
  readonly open: OpenStreams;
}

type Allowed = Extract<LocalWorkload, { ok: true }>;

/** Opens, keeps and closes the sockets of this node's workloads. */
export class ServedWorkloads {
  readonly #options: ServedWorkloadsOptions;
  #served = new Map<string, Served>();
  readonly edges: EdgeKeeper;
  #queue: Promise<void> = Promise.resolve();

  constructor(options: ServedWorkloadsOptions) {
    this.#options = options;
    this.edges = new EdgeKeeper(options);
  }

  /** By identity. */
  get served(): ReadonlyMap<string, Served> {
    return this.#served;
  }

  /** Makes the open sockets those of the list: what stayed the same stays open. Never rejects. */
  reconcile(message: NodeWorkloads): Promise<void> {
    this.#queue = this.#queue.then(() => this.#reconcile(message));
    return this.#queue;
  }

  /** What is open at each sidecar. */
  severable(): readonly Severable[] {
    return [...this.#served.values()].flatMap(({ local, open, sockets }) =>
      sockets === undefined ? [] : [{ workload: nameOf(local.workload), folder: dirname(sockets.paths.envoy), open }],
    );
  }

  /** Offers the sidecars what policy, revocations and anchors now allow. */
  refreshSecrets(): void {
    for (const [identity, { secrets }] of this.#served) {
      this.edges.read(identity);
      secrets?.refresh();
    }
  }

  /** Looks whether the certificates of public listeners have changed, and offers those that have. */
  refreshEdges(): void {
    for (const [identity, { secrets }] of this.#served) if (this.edges.read(identity)) secrets?.refresh();
  }

  async close(): Promise<void> {
    await this.#queue;
    await Promise.all([...this.#served.values()].map(closeServed));
    this.#served.clear();
  }

  async #reconcile(message: NodeWorkloads): Promise<void> {
    const { runDir } = this.#options;
    const uid = process.getuid?.();
    const locals = localWorkloads(message, runDir, { uid, isRoot: isRoot() });
    const otherUsers = locals.some(
      (local) => local.ok && local.workload.uid !== undefined && local.workload.uid !== uid,
    );
    prepareRunDir(runDir, { otherUsers });
    const listed = new Map(locals.map((local) => [local.workload.identity, local]));
    for (const [identity, served] of [...this.#served]) {
      const local = listed.get(identity);
      if (local !== undefined && served.sockets !== undefined && sameServing(local, served.local)) continue;
      this.#served.delete(identity);
      this.edges.forget(identity);
      await closeServed(served);
    }
    for (const [identity, local] of listed) {
      if (!this.#served.has(identity)) this.#served.set(identity, await this.#open(local));
    }
  }

  async #open(local: LocalWorkload): Promise<Served> {
    const { clock, keeper, log, metrics } = this.#options;
    const workload = nameOf(local.workload);
    const refuse = (reason: Refusal["reason"], detail: string): Served => {
      metrics.refused("workload", reason);
      log.error({ workload, reason, detail }, "a workload is not served");
      return {
        local,
        refusal: { reason, detail, at: clock.now() },
        secrets: undefined,
        sockets: undefined,
        handler: undefined,
        open: new OpenStreams(() => clock.nowMs()),
      };
    };
    if (!local.ok) return refuse(local.reason, local.detail);
    const identity = keeper.kept.get(local.workload.identity)?.identity;
    if (identity === undefined) return refuse("sockets", "the list of workloads has changed meanwhile");
    this.edges.read(local.workload.identity);
    const secrets = this.#secrets(local, identity);
    try {
      const handler = this.#handler(local);
      const open = new OpenStreams(() => clock.nowMs());
      const sockets = await this.#openSockets(local, { identity, secrets, handler, open });
      log.info({ workload, isolation: local.isolation, authz: local.paths.authz }, "a workload's sockets are open");
      return { local, refusal: undefined, secrets, sockets, handler, open };
    } catch (error) {
      secrets.close();
      return refuse("sockets", messageOf(error));
    }
  }

  #handler(local: Allowed): CheckHandler {
    const { clock, decisionLog, state } = this.#options;
    let open = false;
    const handler = createCheckHandler({
      workload: nameOf(local.workload),
      destination: local.id,
      view: () => state.view,
      nowMs: () => clock.nowMs(),
      observe: (observed) => {
        if (open) decisionLog.push(observed);
      },
    });
    warmUp(handler, local.id);
    open = true;
    return handler;
  }

  async #openSockets(local: Allowed, { identity, secrets, handler, open }: ServedParts): Promise<WorkloadSockets> {
    const { clock, decisionLog, metrics } = this.#options;
    const workload = nameOf(local.workload);
    const accessLog = new SidecarAccessLog({
      workload,
      destination: local.id,
      now: () => clock.now(),
      record: (record) => {
        metrics.sidecarRefused(workload, record.kind === "connection-refused" ? "connection" : "request");
        decisionLog.pushRecord(record);
      },
      open: (event) => {
        open.take(event);
        this.#options.toldOpen({ workload, folder: dirname(local.paths.envoy), open }, event);
      },
    });
    return await openWorkloadSockets({
      paths: local.paths,
      uid: local.workload.uid,
      handler,
      addEnvoyServices: (server) => {
        secrets.addTo(server);
        accessLog.addTo(server);
      },
      addWorkloadServices: (server) => addWorkloadApi(server, this.#provider(identity)),
    });
  }

  #provider(identity: WorkloadIdentity): WorkloadApiProvider {
    const { clock, tokens } = this.#options;
    return {
      get state() {
        return identity.state;
      },
      subscribe: (listener) => identity.subscribe(listener),
      issueJwtSvid: (id, audience) => tokens.issue(id, audience),
      now: () => clock.now(),
    };
  }

  #secrets(local: Allowed, identity: WorkloadIdentity): SidecarSecrets {
    const { clock, log, metrics, state, trust } = this.#options;
    const workload = nameOf(local.workload);
    const policy = (): PolicySet | undefined =>
      isInForce(state.freshness(clock.nowMs())) ? state.view.set : undefined;
    const mine = new WorkloadTrust(local.workload.identity);
    return new SidecarSecrets({
      destination: local.id,
      serverFirstPorts: local.workload.serverFirstPorts,
      identity,
      trust: () => trust.workloads && mine.of(trust.workloads, policy()),
      policy,
      edges: () => this.edges.certificates(local.workload.identity),
      isRevoked: (caller) => state.revocations.identities.has(caller),
      now: () => clock.now(),
      event: (event) => {
        metrics.secret(workload, event);
        if (event !== "push") this.#options.secretsSettled();
      },
      problem: (message) =>
        log.error({ workload, error: message }, "a sidecar's secrets are not sound and were not offered"),
    });
  }
}

function isInForce(freshness: ReturnType<PolicyState["freshness"]>): boolean {
  return freshness === "current" || freshness === "expired";
}

function sameServing(a: LocalWorkload, b: LocalWorkload): boolean {
  return JSON.stringify([a.ok, a.workload]) === JSON.stringify([b.ok, b.workload]);
}

async function closeServed({ secrets, sockets }: Served): Promise<void> {
  secrets?.close();
  await sockets?.close();
}
