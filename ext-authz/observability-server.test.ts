import { request } from "node:http";
import { Counter, Registry } from "prom-client";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type ObservabilityServer, startObservability } from "./observability-server.ts";

let server: ObservabilityServer;
let ready = false;
beforeEach(async () => {
  ready = false;
  const registry = new Registry();
  new Counter({ name: "cellwall_test_total", help: "test", registers: [registry] }).inc(3);
  server = await startObservability(
    { host: "127.0.0.1", port: 0 },
    { ready: () => ready, status: () => ({ ready }), registry },
  );
});
afterEach(() => server.close());

describe("the observability port", () => {
  it("tells liveness from readiness", async () => {
    expect((await fetch(`${server.url}/healthz`)).status).toBe(200);
    expect((await fetch(`${server.url}/readyz`)).status).toBe(503);
    ready = true;
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  });

  it("shows metrics and status", async () => {
    expect(await (await fetch(`${server.url}/metrics`)).text()).toContain("cellwall_test_total 3");
    expect(await (await fetch(`${server.url}/status`)).json()).toEqual({ ready: false });
  });

  it("serves nothing else, and no other method", async () => {
    expect((await fetch(`${server.url}/status/x`)).status).toBe(404);
    expect((await fetch(`${server.url}/status`, { method: "POST" })).status).toBe(405);
  });

  it("refuses a foreign host name, as a rebinding page sends it", async () => {
    expect(await statusFor("evil.example")).toBe(403);
    expect(await statusFor("localhost:9000")).toBe(200);
  });

  it("says that a port is taken", async () => {
    const port = Number(new URL(server.url).port);
    const taken = startObservability(
      { host: "127.0.0.1", port },
      { ready: () => true, status: () => ({}), registry: new Registry() },
    );
    await expect(taken).rejects.toMatchObject({ code: "ERR_AGENT_LISTEN" });
  });
});

function statusFor(host: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const outgoing = request(`${server.url}/status`, { headers: { host } }, (incoming) => {
      incoming.resume();
      resolve(incoming.statusCode);
    });
    outgoing.once("error", reject);
    outgoing.end();
  });
}
