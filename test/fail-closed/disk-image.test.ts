import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { stateFolder } from "../../cli/state-folder.ts";
import { type StartedAuthority, startAuthority } from "../../cli/up/start-authority.ts";
import { type Agent, type AgentOptions, createAgent } from "../../ext-authz/index.ts";
import { capturingLogger } from "../../ext-authz/testing/capture.ts";
import { type CheckClient, checkClient } from "../support/check-client.ts";
import { meshDocuments, workloadDocument } from "../support/mesh-documents.ts";
import { until } from "../support/until.ts";

const HOUR_MS = 3_600_000;
const WEB = "spiffe://test.example/shop/web";
const ORDERS = "spiffe://test.example/shop/orders";

const WORKLOADS = meshDocuments({
  workloads: { orders: {} },
  policies: {
    orders: { allow: { "anyone-reads": { from: { anyone: "authenticated" }, requests: ["GET /orders/{id:int}"] } } },
  },
});

const WITH_WEB = `${WORKLOADS}---\n${workloadDocument("web")}`;

// A real authority and a real agent; the agent is thrown back to an older image of its state folder.
describe("a disk image from before a revocation", () => {
  let folder = "";
  let authority: StartedAuthority;
  let agent: Agent;
  let orders: CheckClient | undefined;
  let joinToken: string | undefined;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "cw-"));
    authority = await startAuthority({
      state: stateFolder("state", folder),
      trustDomain: "test.example",
      host: "127.0.0.1",
      port: 0,
      orFreePort: true,
      clock: () => new Date(),
      localNode: "local",
    });
    await publish(WITH_WEB);
    joinToken = (await authority.ca.createJoinToken("local")).token;
    await start({ stateDir: join(folder, "agent") });
    await until(() => agent.ready(), Boolean);
    expect(await check()).toBe("allowed");
    // Taken while the agent runs, as a snapshot of a disk is.
    cpSync(join(folder, "agent"), join(folder, "image"), { recursive: true });
    joinToken = undefined;
  });
  afterEach(async () => {
    orders?.close();
    await agent?.stop();
    await authority.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function publish(text: string): Promise<void> {
    const { diagnostics } = await authority.authority.publish([{ path: "mesh.yaml", text }], "test");
    expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  }

  async function start(options: Partial<AgentOptions> & { readonly stateDir: string }): Promise<void> {
    agent = createAgent({
      authorityUrl: authority.url,
      runDir: join(folder, "run"),
      log: capturingLogger(),
      ...(joinToken === undefined ? {} : { joinToken }),
      ...options,
    });
    await agent.start();
    orders = checkClient(join(folder, "run"), "orders");
  }

  async function restartFromImage(options: Partial<AgentOptions> = {}): Promise<void> {
    orders?.close();
    await agent.stop();
    await start({ stateDir: join(folder, "image"), ...options });
  }

  function check(): Promise<string> {
    if (orders === undefined) throw new Error("no agent runs");
    return orders.check({ caller: WEB, destination: ORDERS, http: { method: "GET", path: "/orders/1" } });
  }

  it("refuses the revoked identity from the first request on, where the authority answers", async () => {
    await authority.ca.revoke({ identity: WEB, reason: "stolen" }, "test");
    await restartFromImage();
    expect(await check()).toBe("403 revoked-identity");
  });

  it("refuses a workload that was removed from the first request on, where the authority answers", async () => {
    await publish(WORKLOADS);
    await restartFromImage();
    expect(await check()).toBe("403 unregistered-identity");
  });

  // Nothing on the disk can say what came after it: the promise is a bound on time, and that the agent says what it decides from.
  it("decides as of the image where the authority does not answer, says so, and stops at the bundle's end and `maxStale`", async () => {
    await authority.ca.revoke({ identity: WEB, reason: "stolen" }, "test");
    const expiresAt = Date.parse(agent.status().policy.expiresAt ?? "");
    const { url } = authority;
    await authority.stop();
    let aheadMs = 0;
    const clock = (): Date => new Date(Date.now() + aheadMs);
    await restartFromImage({ authorityUrl: url, maxStaleMs: HOUR_MS, clock });
    expect(await check()).toBe("allowed");
    expect(agent.status()).toMatchObject({ authority: { reachable: false }, policy: { source: "disk" } });
    aheadMs = expiresAt + HOUR_MS + 1_000 - Date.now();
    expect(await check()).toBe("503 stale-policy");
    expect(agent.ready()).toBe(false);
  });
});
