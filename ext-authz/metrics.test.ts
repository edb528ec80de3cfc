import { describe, expect, it } from "vitest";
import { noPolicyIndex } from "../policies/index.ts";
import { AgentMetrics } from "./metrics.ts";
import type { PolicyView } from "./policy-state.ts";
import { observed } from "./testing/observed.ts";

const view: PolicyView = {
  index: noPolicyIndex(),
  set: undefined,
  bundle: {
    epoch: 2,
    revision: 9,
    issuedAt: new Date(1_000_000),
    expiresAt: new Date(5_000_000),
    destinations: [],
    source: "authority",
  },
};

function metrics(current: PolicyView = view): AgentMetrics {
  return new AgentMetrics({ view: () => current, revocations: () => 4, nowMs: () => 1_060_000 });
}

describe("AgentMetrics", () => {
  it("counts decisions by verdict, reason and rule, with nothing of the request in a label", async () => {
    const seen = metrics();
    seen.counted(observed());
    seen.counted(observed());
    const text = await seen.registry.metrics();
    expect(text).toContain(
      'cellwall_decisions_total{workload="shop/orders",verdict="allow",reason="allowed-by-rule",rule="shop/orders/web-reads"} 2',
    );
    expect(text).toContain('cellwall_check_duration_seconds_count{workload="shop/orders"} 2');
    expect(text).not.toMatch(/orders\/42|hunter2|10\.0\.0\.7|shop\/web"/);
  });

  it("counts what the candidate set would turn around, and what monitor mode let pass", async () => {
    const seen = metrics();
    seen.counted(observed({ candidate: { verdict: "deny", reason: "no-rule-matched" } }));
    seen.counted(
      observed({
        evaluated: "deny",
        reason: "no-rule-matched",
        candidate: { verdict: "allow", reason: "allowed-by-rule" },
      }),
    );
    seen.counted(observed({ candidate: { verdict: "allow", reason: "allowed-by-rule" } }));
    const text = await seen.registry.metrics();
    expect(text).toContain('cellwall_candidate_disagreements_total{workload="shop/orders",would="deny"} 1');
    expect(text).toContain('cellwall_candidate_disagreements_total{workload="shop/orders",would="allow"} 1');
    expect(text).toContain('cellwall_monitor_relaxed_total{workload="shop/orders",reason="no-rule-matched"} 1');
  });

  it("shows the bundle's place, age and expiry", async () => {
    const text = await metrics().registry.metrics();
    expect(text).toContain("cellwall_bundle_epoch 2\n");
    expect(text).toContain("cellwall_bundle_revision 9\n");
    expect(text).toContain("cellwall_bundle_age_seconds 60\n");
    expect(text).toContain("cellwall_bundle_expiry_timestamp_seconds 5000\n");
    expect(text).toContain("cellwall_revocations_sequence 4\n");
    const none = await metrics({ ...view, bundle: undefined }).registry.metrics();
    expect(none).toContain("cellwall_bundle_revision 0\n");
  });

  it("keeps two agents of one process apart", () => {
    expect(() => [metrics(), metrics()]).not.toThrow();
  });
});
