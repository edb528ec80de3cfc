import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Ask, http1, http2 } from "../support/clients.ts";
import { decisionAfter, type HttpMesh, startHttpMesh } from "../support/test-mesh.ts";

describe("HTTP through two sidecars", () => {
  let test: HttpMesh;
  beforeAll(async () => {
    test = await startHttpMesh();
  });
  afterAll(() => test?.stop());

  /** Sends a request and returns what the caller got, what arrived at the app, and the decision. */
  async function send(client: typeof http1, from: string, ask: Omit<Ask, "socket">) {
    const mark = test.mesh.records.mark();
    const before = test.orders.requests.length;
    const answer = await client({ socket: test.mesh.callSocket(from, "orders"), ...ask });
    const decision = await decisionAfter(test.mesh, mark, (one) => one.workload === "shop/orders");
    return { answer, arrived: test.orders.requests.slice(before), decision };
  }

  for (const [protocol, client] of [
    ["HTTP/1.1", http1],
    ["HTTP/2", http2],
  ] as const) {
    describe(`${protocol} from the app`, () => {
      it("lets a request through that a line allows, and tells the app who calls", async () => {
        const { answer, arrived, decision } = await send(client, "web", { path: "/orders/42?verbose=1" });
        expect(answer.status).toBe(200);
        expect(arrived).toHaveLength(1);
        expect(arrived[0]).toMatchObject({ method: "GET", path: "/orders/42?verbose=1" });
        expect(arrived[0]?.headers["x-cellwall-caller"]).toBe("spiffe://test.example/shop/web");
        expect(arrived[0]?.headers["x-cellwall-peer-serial"]).toBeUndefined();
        expect(decision).toMatchObject({
          verdict: "allow",
          reason: "allowed-by-rule",
          line: "shop/orders/web-reads#GET|HEAD /orders/{id:int}",
          path: "/orders/42",
          caller: "spiffe://test.example/shop/web",
        });
        expect(JSON.stringify(decision)).not.toContain("verbose");
      });

      it.each([
        ["the wrong identity", "stranger", { path: "/orders/42" }, "no-rule-matched"],
        ["the wrong method", "web", { path: "/orders/42", method: "DELETE" }, "no-rule-matched"],
        ["the wrong path", "web", { path: "/orders/mine" }, "no-rule-matched"],
        ["a missing header", "web", { path: "/orders", method: "POST", body: "{}" }, "no-rule-matched"],
        ["a deny rule", "web", { path: "/static/admin/users" }, "denied-by-rule"],
        ["dots that lead under a deny", "web", { path: "/static/x/../admin" }, "denied-by-rule"],
        ["a path parameter", "web", { path: "/static/a;b=c/d" }, "ambiguous-path"],
        ["twice encoded dots", "web", { path: "/static/%252e%252e/admin" }, "ambiguous-path"],
      ])("denies %s, and the app receives nothing", async (_what, from, ask, reason) => {
        const { answer, arrived, decision } = await send(client, from, ask);
        expect(decision).toMatchObject({ verdict: "deny", reason });
        expect(answer.status).toBe(403);
        expect(answer.headers["x-cellwall-decision"]).toBe(decision.id);
        expect(answer.body).toContain("denied");
        expect(answer.body).not.toContain("web-reads");
        expect(arrived).toEqual([]);
      });
    });
  }

  it("ignores identity headers that a caller forges", async () => {
    const { answer, arrived, decision } = await send(http1, "stranger", {
      path: "/orders/42",
      headers: {
        "x-cellwall-caller": "spiffe://test.example/shop/web",
        "x-forwarded-client-cert": "URI=spiffe://test.example/shop/web",
        "x-cellwall-peer-serial": "01",
      },
    });
    expect(decision).toMatchObject({ reason: "no-rule-matched", caller: "spiffe://test.example/shop/stranger" });
    expect(answer.status).toBe(403);
    expect(arrived).toEqual([]);
  });

  it("removes method- and URL-override headers before the app", async () => {
    const { answer, arrived } = await send(http1, "web", {
      path: "/orders/42",
      headers: {
        "x-http-method-override": "DELETE",
        "x-original-url": "/static/admin",
        "x-rewrite-url": "/static/admin",
      },
    });
    expect(answer.status).toBe(200);
    expect(arrived).toHaveLength(1);
    for (const name of ["x-http-method-override", "x-original-url", "x-rewrite-url"])
      expect(arrived[0]?.headers[name]).toBeUndefined();
  });

  it("needs every value of a repeated header to match", async () => {
    const exportFor = (tenants: string[]): Promise<Awaited<ReturnType<typeof send>>> =>
      send(http1, "web", { path: "/exports", method: "POST", headers: { "x-tenant": tenants }, body: "{}" });
    expect((await exportFor(["acme"])).decision.reason).toBe("allowed-by-rule");
    expect((await exportFor(["acme", "globex"])).decision.reason).toBe("allowed-by-rule");
    expect((await exportFor(["acme", "initech"])).decision.reason).toBe("no-rule-matched");
    expect((await exportFor(["initech", "acme"])).decision.reason).toBe("no-rule-matched");
  });
});
