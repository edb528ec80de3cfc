import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { grpc, http2 } from "../support/clients.ts";
import { decisionAfter, type HttpMesh, startHttpMesh } from "../support/test-mesh.ts";

const PERMISSION_DENIED = 7;

describe("gRPC through two sidecars", () => {
  let test: HttpMesh;
  beforeAll(async () => {
    test = await startHttpMesh();
  });
  afterAll(() => test?.stop());

  async function call(from: string, path: string) {
    const mark = test.mesh.records.mark();
    const before = test.invoices.requests.length;
    const answer = await grpc(test.mesh.callSocket(from, "invoices"), path, "hello");
    const decision = await decisionAfter(test.mesh, mark, (one) => one.workload === "shop/invoices");
    return { answer, decision, arrived: test.invoices.requests.slice(before) };
  }

  it("carries a call that a grpc line allows", async () => {
    const { answer, decision, arrived } = await call("web", "/shop.Invoices/Get");
    expect(answer).toMatchObject({ code: 0, body: "hello" });
    expect(decision).toMatchObject({
      reason: "allowed-by-rule",
      line: "shop/invoices/web-asks#grpc shop.Invoices/Get",
      grpc: true,
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(arrived).toHaveLength(1);
  });

  it.each([
    ["another method", "web", "/shop.Invoices/Delete"],
    ["another caller", "stranger", "/shop.Invoices/Get"],
  ])("denies %s as PERMISSION_DENIED, and the app receives nothing", async (_what, from, path) => {
    const { answer, decision, arrived } = await call(from, path);
    expect(decision).toMatchObject({ verdict: "deny", reason: "no-rule-matched" });
    expect(answer.code).toBe(PERMISSION_DENIED);
    expect(answer.details).toContain("denied");
    expect(arrived).toEqual([]);
  });

  it("does not take a plain POST to a method's path for a gRPC call", async () => {
    const mark = test.mesh.records.mark();
    const socket = test.mesh.callSocket("web", "invoices");
    const answer = await http2({ socket, path: "/shop.Invoices/Get", method: "POST", body: "hello" });
    const decision = await decisionAfter(test.mesh, mark, (one) => one.workload === "shop/invoices");
    expect(decision).toMatchObject({ reason: "no-rule-matched", grpc: false });
    expect(answer.status).toBe(403);
  });
});
