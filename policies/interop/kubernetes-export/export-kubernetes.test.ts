import { describe, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { compile, decide } from "../../engine.ts";
import { attributesOf } from "../../findings/index.ts";
import { buildSet } from "../../testing/build.ts";
import { exportKubernetes } from "./export-kubernetes.ts";

const set = buildSet({
  workloads: {
    orders: { labels: { app: "orders" } },
    web: { labels: { app: "web" } },
    twin: { labels: { app: "twin" } },
    twin2: { labels: { app: "twin" } },
  },
  policies: [
    {
      protects: "orders",
      allow: [
        { from: [{ workload: "web" }], requests: ["GET /orders"], ports: [8443] },
        { from: [{ addresses: ["10.0.0.0/8"] }], requests: ["tcp 5432"] },
        { from: [{ workload: "twin" }], requests: ["GET /x"] },
      ],
    },
  ],
});
const { text, report } = exportKubernetes(set, { now: new Date() });

describe("export to Kubernetes", () => {
  it("closes every namespace, and opens connections of the callers that rules name", () => {
    const documents = parseAllDocuments(text).map(
      (one) => one.toJS() as { metadata: { name: string }; spec: { ingress?: unknown } },
    );
    expect(documents.map(({ metadata }) => metadata.name)).toEqual(["default-deny", "cellwall-orders"]);
    expect(documents[1]?.spec.ingress).toEqual([
      {
        from: [
          {
            namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "shop" } },
            podSelector: { matchLabels: { app: "web" } },
          },
        ],
        ports: [{ protocol: "TCP", port: 8443 }],
      },
      { from: [{ ipBlock: { cidr: "10.0.0.0/8" } }], ports: [{ protocol: "TCP", port: 5432 }] },
    ]);
  });

  it("shows with a request what a connection lets through and the policies deny", () => {
    const wider = report.entries.filter(({ fidelity }) => fidelity === "wider");
    expect(wider).toHaveLength(1);
    for (const { counterExample } of wider)
      if (counterExample !== undefined)
        expect(decide(compile(set), attributesOf(counterExample, set, { now: new Date() })).verdict).toBe("deny");
  });

  it("leaves out whom labels do not tell from others", () => {
    expect(
      report.entries.some(({ fidelity, reason }) => fidelity === "unsupported" && reason.includes("`shop/twin`")),
    ).toBe(true);
  });
});
