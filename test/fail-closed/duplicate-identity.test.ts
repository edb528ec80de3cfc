import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LocalMesh } from "../../cli/local-mesh/index.ts";
import { type CheckClient, checkClient } from "../support/check-client.ts";
import { workloadDocument } from "../support/mesh-documents.ts";
import { protocolMeshFile, startTestMesh } from "../support/test-mesh.ts";
import { until } from "../support/until.ts";

const WEB = "spiffe://test.example/shop/web";
const ORDERS = "spiffe://test.example/shop/orders";

const twin = (identity: string): string => workloadDocument("twin", { labels: { app: "web" }, identity });

describe("an identity that two workloads claim", () => {
  let mesh: LocalMesh;
  let orders: CheckClient;
  beforeAll(async () => {
    mesh = await startTestMesh([protocolMeshFile, { path: "more.yaml", text: "# none yet\n" }]);
    orders = checkClient(join(mesh.sockets("orders").authz, "../.."), "orders");
  });
  afterAll(async () => {
    orders?.close();
    await mesh?.stop();
  });

  const check = (path: string): Promise<string> =>
    orders.check({ caller: WEB, destination: ORDERS, http: { method: "GET", path } });

  it.each([
    ["an identity that another workload has", twin(WEB), "identity"],
    ["an identity of the system", twin("spiffe://test.example/cellwall/policy-signer"), "cellwall"],
    ["an identity of another trust domain", twin("spiffe://other.example/shop/twin"), "trust domain"],
  ])("refuses to publish %s, issues nothing, and what is in force stays", async (_what, text, word) => {
    const before = mesh.mesh.authority.status().bundle;
    await mesh.edit("more.yaml", () => text);
    const refused = await until(
      () => mesh.mesh.authority.status().refused,
      (one) => one !== undefined,
    );
    expect(refused?.first).toMatchObject({ severity: "error", message: expect.stringContaining(word) });
    expect(mesh.mesh.authority.status().bundle).toEqual(before);
    expect(mesh.mesh.ca.workloadsOf("local").workloads.map(({ name }) => name)).not.toContain("twin");
    expect([await check("/orders/1"), await check("/admin")]).toEqual(["allowed", "403 no-rule-matched"]);
    await mesh.edit("more.yaml", () => "# none\n");
    await until(
      () => mesh.mesh.authority.status().refused,
      (one) => one === undefined,
    );
  });
});
