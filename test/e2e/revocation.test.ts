import { X509Certificate } from "node:crypto";
import { Agent } from "node:http";
import { join } from "node:path";
import { status } from "@grpc/grpc-js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LocalMesh } from "../../cli/local-mesh/index.ts";
import { run } from "../../cli/run.ts";
import { capturedIo } from "../../cli/testing/captured-io.ts";
import { normalizeSerial } from "../../spiffe/index.ts";
import { WorkloadApiClient } from "../../spiffe/workload-api/index.ts";
import { askForSvid } from "../support/agent-client.ts";
import { http1App, type TestApp } from "../support/apps.ts";
import { type Answer, http1 } from "../support/clients.ts";
import { atDepth } from "../support/depth.ts";
import { ownIdentity } from "../support/forged-identities.ts";
import { recordResult } from "../support/record-result.ts";
import { openHttp2, type Shown } from "../support/straight.ts";
import { decisionAfter, readersMeshFile, startTestMesh } from "../support/test-mesh.ts";
import { until } from "../support/until.ts";

const PROMISED_MS = 1_000;
const COMMANDS = atDepth({ quick: 3, full: 200 });

const WEB = "spiffe://test.example/shop/web";

function serialOf({ certificates }: Shown): string {
  return normalizeSerial(new X509Certificate(certificates).serialNumber);
}

describe("revocation, on connections that are already open", () => {
  let mesh: LocalMesh;
  let app: TestApp;
  const kept = new Agent({ keepAlive: true, maxSockets: 1 });
  beforeAll(async () => {
    mesh = await startTestMesh([readersMeshFile]);
    app = await http1App(mesh.appSocket("orders", 8443));
    await mesh.startSidecars();
  });
  afterAll(async () => {
    kept.destroy();
    await mesh?.stop();
    await app?.close();
  });

  const straight = (shown: Shown) =>
    openHttp2({ host: mesh.address("orders"), port: 8443, from: mesh.address("orders"), shown });

  /** Asks again and again until the answer is a denial; the time that took since `startedMs`. */
  async function deniedAfterMs(startedMs: number, ask: () => Promise<{ readonly status: number }>): Promise<number> {
    await until(ask, ({ status }) => status === 403, { deadlineMs: 5_000, what: "the denial" });
    return performance.now() - startedMs;
  }

  it("refuses a revoked certificate within a second; the workload goes on with a new one", async () => {
    const stolen = await ownIdentity(mesh.sockets("batch").workload);
    const connection = straight(stolen);
    expect((await connection.get("/orders/1")).status).toBe(200);
    const mark = mesh.records.mark();
    const startedMs = performance.now();
    await mesh.mesh.ca.revoke({ serial: serialOf(stolen), reason: "stolen" }, "test");
    expect(await deniedAfterMs(startedMs, () => connection.get("/orders/2"))).toBeLessThan(PROMISED_MS);
    expect(await decisionAfter(mesh, mark, ({ reason }) => reason === "revoked-identity")).toMatchObject({
      verdict: "deny",
      caller: "spiffe://test.example/shop/batch",
      detail: "the certificate is revoked",
    });
    connection.close();
    const fresh = await until(
      () => ownIdentity(mesh.sockets("batch").workload),
      (shown) => serialOf(shown) !== serialOf(stolen),
    );
    const again = straight(fresh);
    expect((await again.get("/orders/3")).status).toBe(200);
    again.close();
  });

  it("refuses within a second of the command each time, and at full depth within half of one 99 times in 100", async () => {
    const tookMs: number[] = [];
    let shown = await ownIdentity(mesh.sockets("batch").workload);
    for (let turn = 0; turn < COMMANDS; turn++) {
      const stolen = shown;
      const connection = straight(stolen);
      expect((await connection.get("/orders/1")).status).toBe(200);
      const startedMs = performance.now();
      const command = ["ca", "revoke", "--serial", serialOf(stolen), "--reason", "measured"];
      const revoked = run([...command, "--state", mesh.stateDir], capturedIo(mesh.stateDir));
      tookMs.push(await deniedAfterMs(startedMs, () => connection.get("/orders/2")));
      expect(await revoked).toBe(0);
      connection.close();
      shown = await until(
        () => ownIdentity(mesh.sockets("batch").workload),
        (fresh) => serialOf(fresh) !== serialOf(stolen),
      );
    }
    tookMs.sort((a, b) => a - b);
    const at = (share: number): number => Math.round((tookMs[Math.ceil(share * COMMANDS) - 1] ?? 0) * 10) / 10;
    const figures = { p50Ms: at(0.5), p95Ms: at(0.95), p99Ms: at(0.99), maxMs: at(1) };
    recordResult("revocation", {
      what: "command to first refused request, one host, HTTP",
      commands: COMMANDS,
      ...figures,
    });
    expect(figures.p99Ms).toBeLessThan(atDepth({ quick: PROMISED_MS, full: 500 }));
  }, 300_000);

  it("refuses a revoked identity within a second and ends its Workload API streams with PermissionDenied, through its sidecar and with its certificate in other hands", async () => {
    const client = new WorkloadApiClient({ address: `unix://${mesh.sockets("web").workload}` });
    const told: unknown[] = [];
    const over = ({ cause }: Error): void => void told.push(cause);
    client.watchX509Context({ updated: () => told.push("identity"), withdrawn: over, ended: over });
    await until(
      () => told,
      (all) => all.length > 0,
    );
    const stolen = straight(await ownIdentity(mesh.sockets("web").workload));
    const throughSidecar = (): Promise<Answer> =>
      http1({ socket: mesh.callSocket("web", "orders"), path: "/orders/4", agent: kept });
    expect((await stolen.get("/orders/4")).status).toBe(200);
    expect((await throughSidecar()).status).toBe(200);
    const mark = mesh.records.mark();
    const startedMs = performance.now();
    await mesh.revoke(WEB, "it was taken over");
    expect(await deniedAfterMs(startedMs, throughSidecar)).toBeLessThan(PROMISED_MS);
    expect(await deniedAfterMs(startedMs, () => stolen.get("/orders/5"))).toBeLessThan(PROMISED_MS);
    stolen.close();
    await until(
      () => told,
      (all) => all.length > 1,
    );
    client.close();
    expect(told.slice(0, 2)).toEqual(["identity", expect.objectContaining({ code: status.PERMISSION_DENIED })]);
    expect(await decisionAfter(mesh, mark, ({ reason }) => reason === "revoked-identity")).toMatchObject({
      verdict: "deny",
      caller: WEB,
      detail: "the identity is revoked",
    });
    expect(app.requests.map(({ path }) => path)).not.toContain("/orders/5");
  });

  it("issues nothing to a revoked identity any more, and hands it nothing", async () => {
    await expect(askForSvid(join(mesh.stateDir, "agent"), mesh.mesh.url, WEB)).rejects.toMatchObject({
      httpStatus: 403,
    });
    const { entries } = await mesh.mesh.ca.ledger({ identity: WEB, limit: 1 });
    expect(entries).toMatchObject([{ kind: "refusal", identity: WEB, reason: expect.stringContaining("revoked") }]);
    await expect(ownIdentity(mesh.sockets("web").workload)).rejects.toThrow();
  });
});

describe("revocation with lists (CRLs)", () => {
  let mesh: LocalMesh;
  let app: TestApp;
  beforeAll(async () => {
    mesh = await startTestMesh([readersMeshFile], { revocationLists: true });
    app = await http1App(mesh.appSocket("orders", 8443));
    await mesh.startSidecars();
  });
  afterAll(async () => {
    await mesh?.stop();
    await app?.close();
  });

  /** The status of one request on a new connection, or that there was no connection to ask on. */
  async function tried(shown: Shown): Promise<string> {
    const from = mesh.address("orders");
    const connection = openHttp2({ host: from, port: 8443, from, shown });
    const outcome = await connection.get("/orders/1").then(
      ({ status }) => String(status),
      () => "no connection",
    );
    connection.close();
    return outcome;
  }
  const throughSidecar = (): Promise<Answer> => http1({ socket: mesh.callSocket("web", "orders"), path: "/orders/1" });

  it("refuses a revoked certificate in the handshake, and nobody else, through a rotation too", async () => {
    const stolen = await ownIdentity(mesh.sockets("batch").workload);
    expect([await tried(stolen), (await throughSidecar()).status]).toEqual(["200", 200]);
    const mark = mesh.records.mark();
    await mesh.mesh.ca.revoke({ serial: serialOf(stolen), reason: "stolen" }, "test");
    await until(
      () => tried(stolen),
      (outcome) => outcome === "no connection",
      { deadlineMs: 5_000 },
    );
    const refusal = await mesh.records.waitFor(mark, ({ kind }) => kind === "connection-refused", 5_000);
    expect(refusal).toMatchObject({ workload: "shop/orders", reason: "untrusted-certificate" });
    const fresh = await until(
      () => ownIdentity(mesh.sockets("batch").workload),
      (shown) => serialOf(shown) !== serialOf(stolen),
    );
    expect([await tried(fresh), (await throughSidecar()).status]).toEqual(["200", 200]);
    const { ca } = mesh.mesh;
    const before = ca.authorities().find(({ role }) => role === "intermediate")?.serial;
    await ca.rotate({ what: "intermediate", compromised: false, force: false, deadlineSeconds: 60, reason: "" });
    await until(
      () => ca.authorities().find(({ role }) => role === "intermediate")?.serial,
      (serial) => serial !== before,
      { deadlineMs: 20_000, what: "the next intermediate" },
    );
    expect([await tried(fresh), await tried(stolen), (await throughSidecar()).status]).toEqual([
      "200",
      "no connection",
      200,
    ]);
  });
});
