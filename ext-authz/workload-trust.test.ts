import { describe, expect, it } from "vitest";
import { type PolicySet, parseDocuments, resolve } from "../policies/index.ts";
import { parseTrustDomain } from "../spiffe/index.ts";
import { createTestCa } from "../spiffe/testing/index.ts";
import type { TrustState } from "./workload-identity.ts";
import { WorkloadTrust } from "./workload-trust.ts";

const [own, partner, other] = ["shop.example", "partner.example", "other.example"].map((trustDomain) =>
  createTestCa({ trustDomain }).bundle(),
);
if (own === undefined || partner === undefined || other === undefined) throw new Error("no bundles");
const all: TrustState = {
  trustDomain: parseTrustDomain("shop.example"),
  bundles: new Map([own, partner, other].map((bundle) => [bundle.trustDomain, bundle])),
};
const orders = "spiffe://shop.example/shop/orders";

function setNaming(from: string): PolicySet {
  const text = `apiVersion: cellwall.dev/v1
kind: Mesh
metadata: { name: mesh }
spec:
  trustDomain: shop.example
  defaultMode: enforce
  federation: [{ trustDomain: partner.example }, { trustDomain: other.example }]
---
apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: orders, namespace: shop }
spec: { mode: enforce }
---
apiVersion: cellwall.dev/v1
kind: AccessPolicy
metadata: { name: orders, namespace: shop }
spec: { protects: { workload: orders }, allow: [{ name: r, from: [${from}], requests: [GET /] }] }
`;
  const { documents, diagnostics } = parseDocuments([{ path: "a.yaml", text }]);
  return resolve(documents, { diagnostics });
}
const names = ({ bundles }: TrustState) => [...bundles.keys()];

describe("a workload's trust", () => {
  it("F-8: is its own trust domain and those that its lines name", () => {
    const trust = new WorkloadTrust(orders);
    expect(names(trust.of(all, undefined))).toEqual(["shop.example"]);
    expect(names(trust.of(all, setNaming("{ trustDomain: partner.example }")))).toEqual([
      "shop.example",
      "partner.example",
    ]);
    expect(names(trust.of(all, setNaming("{ spiffe: spiffe://other.example/x }")))).toEqual([
      "shop.example",
      "other.example",
    ]);
    expect(
      names(new WorkloadTrust("spiffe://shop.example/shop/db").of(all, setNaming("{ trustDomain: partner.example }"))),
    ).toEqual(["shop.example"]);
  });

  it("is the same object until something changes for this workload", () => {
    const trust = new WorkloadTrust(orders);
    const first = trust.of(all, setNaming("{ trustDomain: partner.example }"));
    const without = { ...all, bundles: new Map([...all.bundles].filter(([name]) => name !== "other.example")) };
    expect(trust.of(without, setNaming("{ trustDomain: partner.example }"))).toBe(first);
    const rolled = new Map(all.bundles).set(
      partner.trustDomain,
      createTestCa({ trustDomain: "partner.example" }).bundle(),
    );
    expect(trust.of({ ...all, bundles: rolled }, setNaming("{ trustDomain: partner.example }"))).not.toBe(first);
  });
});
