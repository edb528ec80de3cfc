import { Counter, Gauge, Histogram, Registry } from "prom-client";
import type { Observed } from "./decision-record.ts";
import type { PolicyView } from "./policy-state.ts";

/** Events of a workload's secrets on their way to Envoy. */
export type SecretEvent = "push" | "ack" | "nack";

const DURATION_BUCKETS_SECONDS = [5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 1e-3, 5e-3, 2.5e-2, 0.1];

/** The agent's Prometheus metrics, in a registry of their own. Labels hold names from the policy only, never a request's text. */
export class AgentMetrics {
  readonly registry = new Registry();
  readonly #decisions = this.#counter("cellwall_decisions_total", "Decisions by verdict, reason and deciding rule.", [
    "workload",
    "verdict",
    "reason",
    "rule",
  ]);
  readonly #candidate = this.#counter(
    "cellwall_candidate_disagreements_total",
    "Decisions that the candidate set would turn around.",
    ["workload", "would"],
  );
  readonly #relaxed = this.#counter("cellwall_monitor_relaxed_total", "Denials that monitor mode let pass.", [
    "workload",
    "reason",
  ]);
  readonly #duration = new Histogram({
    name: "cellwall_check_duration_seconds",
    help: "Time from a check's attributes to its decision.",
    labelNames: ["workload"],
    buckets: DURATION_BUCKETS_SECONDS,
    registers: [this.registry],
  });
  readonly #refusals = this.#counter("cellwall_refusals_total", "Documents and workloads that the agent refused.", [
    "what",
    "reason",
  ]);
  readonly #sidecar = this.#counter(
    "cellwall_sidecar_refusals_total",
    "Connections and requests that sidecars refused themselves.",
    ["workload", "kind"],
  );
  readonly #secrets = this.#counter(
    "cellwall_sds_events_total",
    "Secrets pushed to Envoy, acknowledged and rejected.",
    ["workload", "event"],
  );
  readonly #connections = this.#counter(
    "cellwall_check_connections_total",
    "Connections of sidecars that ask over the network, by what became of them.",
    ["result"],
  );
  readonly #svidExpiry = this.#gauge(
    "cellwall_svid_expiry_timestamp_seconds",
    "When the workload's certificate expires.",
    ["workload"],
  );
  readonly #logDropped = this.#counter(
    "cellwall_decision_log_dropped_total",
    "Records that did not fit into the decision log.",
    [],
  );
  readonly #authorityUp = this.#gauge("cellwall_authority_reachable", "1 while the authority answers.", []);
  readonly #requests = this.#counter("cellwall_authority_failures_total", "Failed requests to the authority.", [
    "code",
  ]);

  constructor(state: {
    readonly view: () => PolicyView;
    readonly revocations: () => number;
    readonly nowMs: () => number;
  }) {
    const bundle = (name: string, help: string, read: (view: PolicyView) => number | undefined): void => {
      const gauge: Gauge = new Gauge({
        name,
        help,
        registers: [this.registry],
        collect: () => {
          const value = read(state.view());
          if (value !== undefined) gauge.set(value);
        },
      });
    };
    bundle("cellwall_bundle_epoch", "Epoch of the bundle in force.", (view) => view.bundle?.epoch ?? 0);
    bundle(
      "cellwall_bundle_revision",
      "Revision of the bundle in force; 0 before the first.",
      (view) => view.bundle?.revision ?? 0,
    );
    bundle("cellwall_bundle_age_seconds", "Age of the bundle in force.", (view) =>
      view.bundle === undefined ? undefined : (state.nowMs() - view.bundle.issuedAt.getTime()) / 1000,
    );
    bundle("cellwall_bundle_expiry_timestamp_seconds", "When the bundle in force expires.", (view) =>
      view.bundle === undefined ? undefined : view.bundle.expiresAt.getTime() / 1000,
    );
    bundle("cellwall_revocations_sequence", "Sequence of the revocations in force.", () => state.revocations());
  }

  counted({ workload, decision }: Observed): void {
    const rule = decision.policy === undefined ? "" : `${decision.policy}/${decision.rule ?? ""}`;
    this.#decisions.inc({ workload, verdict: decision.verdict, reason: decision.reason, rule });
    this.#duration.observe({ workload }, decision.tookMicros / 1e6);
    if (decision.verdict !== decision.evaluated) this.#relaxed.inc({ workload, reason: decision.reason });
    const candidate = decision.candidate;
    if (candidate !== undefined && candidate.verdict !== decision.evaluated) {
      this.#candidate.inc({ workload, would: candidate.verdict });
    }
  }

  refused(what: string, reason: string): void {
    this.#refusals.inc({ what, reason });
  }

  sidecarRefused(workload: string, kind: "connection" | "request"): void {
    this.#sidecar.inc({ workload, kind });
  }

  checkConnection(result: string): void {
    this.#connections.inc({ result });
  }

  secret(workload: string, event: SecretEvent): void {
    this.#secrets.inc({ workload, event });
  }

  svid(workload: string, notAfter: Date | undefined): void {
    if (notAfter === undefined) this.#svidExpiry.remove({ workload });
    else this.#svidExpiry.set({ workload }, notAfter.getTime() / 1000);
  }

  dropped(records: number): void {
    this.#logDropped.inc(records);
  }

  authorityReachable(reachable: boolean): void {
    this.#authorityUp.set(reachable ? 1 : 0);
  }

  authorityFailed(code: string): void {
    this.#requests.inc({ code });
  }

  #counter(name: string, help: string, labelNames: readonly string[]): Counter {
    return new Counter({ name, help, labelNames: [...labelNames], registers: [this.registry] });
  }

  #gauge(name: string, help: string, labelNames: readonly string[]): Gauge {
    return new Gauge({ name, help, labelNames: [...labelNames], registers: [this.registry] });
  }
}
