import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { http1, webSocket } from "../support/clients.ts";
import { decisionAfter, type HttpMesh, startHttpMesh } from "../support/test-mesh.ts";

describe("WebSocket through two sidecars", () => {
  let test: HttpMesh;
  beforeAll(async () => {
    test = await startHttpMesh();
  });
  afterAll(() => test?.stop());

  it("carries messages of an upgrade that a websocket line allows", async () => {
    const mark = test.mesh.records.mark();
    const opened = await webSocket(test.mesh.callSocket("web", "orders"), "/live/orders", "hello");
    expect(opened).toEqual({ status: 101, answer: "echo hello" });
    const decision = await decisionAfter(test.mesh, mark, (one) => one.workload === "shop/orders");
    expect(decision).toMatchObject({ reason: "allowed-by-rule", line: "shop/orders/web-listens#websocket /live/**" });
    expect(test.orders.messages).toContain("hello");
  });

  it.each([
    ["another caller", "stranger", "/live/orders"],
    ["an upgrade on a path that only GET may reach", "web", "/static/page"],
  ])("refuses %s, and the app receives nothing", async (_what, from, path) => {
    const mark = test.mesh.records.mark();
    const before = test.orders.requests.length;
    const opened = await webSocket(test.mesh.callSocket(from, "orders"), path, "hello");
    expect(opened.status).toBe(403);
    const decision = await decisionAfter(test.mesh, mark, (one) => one.workload === "shop/orders");
    expect(decision).toMatchObject({ verdict: "deny", reason: "no-rule-matched", upgrade: "websocket" });
    expect(test.orders.requests.slice(before)).toEqual([]);
  });

  it("does not take a plain GET for an upgrade", async () => {
    const mark = test.mesh.records.mark();
    const answer = await http1({ socket: test.mesh.callSocket("web", "orders"), path: "/live/orders" });
    expect(answer.status).toBe(403);
    expect((await decisionAfter(test.mesh, mark, (one) => one.workload === "shop/orders")).reason).toBe(
      "no-rule-matched",
    );
  });
});
