import { describe, expect, it } from "vitest";
import { allow, found, policy } from "../testing/lint-text.ts";

describe("undeclared-call", () => {
  it("finds a rule for a caller that does not call this workload, or not at this port", () => {
    const db = `apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: db, namespace: shop, labels: { app: db } }
spec: { sidecar: { address: db } }
`;
    expect(found("undeclared-call", db, policy(allow(["GET /a"], "", "workload: db")))).toMatchObject([
      {
        severity: "warning",
        span: { line: 10 },
        message: "`reads` is for workload `shop/db`, whose `calls` name nothing that it allows",
      },
    ]);
    expect(found("undeclared-call", policy(allow(["tcp 5432"])))).toHaveLength(1);
    expect(found("undeclared-call", policy(allow(["GET /a"], "ports: [443]")))).toHaveLength(1);
  });

  it("takes declared calls, and callers that say nothing of what they call", () => {
    const own = `apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: own-envoy, namespace: shop }
spec: { mode: enforce }
`;
    expect(
      found(
        "undeclared-call",
        own,
        policy(allow(["GET /a"], "ports: [8443]")),
        policy(allow(["GET /a"], "", "workload: own-envoy"), undefined, "b"),
        policy(allow(["GET /a"], "", "trustDomain: partner.example"), undefined, "c"),
        policy(allow(["GET /a"], "", "anyone: anonymous"), undefined, "d"),
      ),
    ).toEqual([]);
  });
});
