import { createServer, get, type Server } from "node:http";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LocalMesh, loopbackAddresses } from "../../cli/local-mesh/index.ts";
import { run } from "../../cli/run.ts";
import { capturedIo } from "../../cli/testing/captured-io.ts";
import { locateEnvoy, renderSidecar, runEnvoy } from "../../envoy/index.ts";
import { type TestApp, tcpApp } from "../support/apps.ts";
import { http1 } from "../support/clients.ts";
import { atDepth, depth } from "../support/depth.ts";
import { ownIdentity } from "../support/forged-identities.ts";
import { meshDocuments } from "../support/mesh-documents.ts";
import { recordResult } from "../support/record-result.ts";
import { overTls, requestBytes } from "../support/straight.ts";
import { decisionAfter, startTestMesh } from "../support/test-mesh.ts";
import { until } from "../support/until.ts";

const MESH = meshDocuments({
  workloads: {
    web: { labels: { tier: "front" }, calls: ["orders", "db"] },
    batch: { labels: { tier: "front" }, calls: ["orders", "db"] },
    orders: { labels: { tier: "back" }, listens: [{ port: 8443 }] },
    db: { labels: { tier: "back" }, listens: [{ port: 5432, protocol: "tcp" }] },
  },
  policies: {
    front: {
      protects: { labels: { tier: "back" } },
      allow: { front: { from: { labels: { tier: "front" } }, requests: ["GET /**", "tcp *"] } },
    },
  },
});

const WEB = "spiffe://test.example/shop/web";

/** Something that stays open; `closed` once it does not. */
interface Kept {
  readonly closed: () => boolean;
  destroy(): void;
}

describe("ca revoke --sever", () => {
  let mesh: LocalMesh;
  let envoy: Awaited<ReturnType<typeof locateEnvoy>>;
  let orders: Server;
  let db: TestApp;
  const kept: Kept[] = [];
  beforeAll(async () => {
    envoy = await locateEnvoy();
    mesh = await startTestMesh([{ path: "mesh.yaml", text: MESH }]);
    db = await tcpApp(mesh.appSocket("db", 5432));
    orders = createServer((request, response) => {
      response.writeHead(200);
      if (request.url === "/endless") response.write("…");
      else response.end("done");
    });
    await new Promise<void>((resolve) => orders.listen(mesh.appSocket("orders", 8443), resolve));
    await mesh.startSidecars();
  });
  afterAll(async () => {
    for (const one of kept) one.destroy();
    await mesh?.stop();
    await db?.close();
    orders?.closeAllConnections();
    orders?.close();
  });

  const stream = (from: string): Promise<Kept> =>
    new Promise((resolve, reject) => {
      const socketPath = mesh.callSocket(from, "orders");
      const asked = get({ socketPath, path: "/endless", headers: { host: "orders" }, agent: false }, (answer) => {
        let closed = answer.statusCode !== 200;
        answer.on("error", () => undefined).on("close", () => (closed = true));
        resolve({ closed: () => closed, destroy: () => asked.destroy() });
        answer.resume();
      });
      asked.on("error", reject);
    });
  const connection = (from: string): Promise<Kept> =>
    new Promise((resolve, reject) => {
      const socket: Socket = connect(mesh.callSocket(from, "db"));
      let closed = false;
      socket.on("error", reject).on("close", () => (closed = true));
      socket.once("data", () => resolve({ closed: () => closed, destroy: () => socket.destroy() }));
      socket.write("hello");
    });
  const cellwall = async (...argv: string[]) => {
    const io = capturedIo(mesh.stateDir);
    return { code: await run([...argv, "--state", mesh.stateDir], io), out: io.out(), err: io.err() };
  };

  /** By the command; at quick depth without the seven seconds that it takes to know of streams. Gives the seconds that it took. */
  async function sever([stream, tcp]: readonly Kept[]): Promise<number> {
    const startedMs = performance.now();
    if (depth === "quick") {
      await mesh.mesh.ca.revoke({ identity: WEB, reason: "again", sever: true }, "test");
      await until(
        () => tcp?.closed(),
        (closed) => closed === true,
        { deadlineMs: 15_000 },
      );
      return (performance.now() - startedMs) / 1000;
    }
    const severed = await cellwall("ca", "revoke", "--identity", WEB, "--reason", "again", "--sever");
    expect([severed.code, stream?.closed(), tcp?.closed()]).toEqual([0, true, true]);
    const [, seconds] = /severed: nothing of it is open any more, after ([0-9.]+) s/.exec(severed.out) ?? [];
    return Number(seconds);
  }

  it("tells what a revoked caller has open, ends it, and refuses nothing of others meanwhile", async () => {
    const startedMs = performance.now();
    const ofWeb = [await stream("web"), await connection("web")];
    const ofBatch = [await stream("batch"), await connection("batch")];
    kept.push(...ofWeb, ...ofBatch);
    const revoke = ["ca", "revoke", "--identity", WEB, "--reason", "it was taken over"];
    // At quick depth the stream is too young to be told of.
    const streams = atDepth({ quick: "0 streams", full: "1 stream" });
    const told = await until(
      () => cellwall(...revoke),
      ({ out }) => out.includes(`still open: ${streams} and 1 TCP connection, which end by 20`),
      { deadlineMs: 15_000 },
    );
    expect(told.out).toMatch(/in force on 1 of 1 node after [0-9.]+ s/);
    expect(told.out).not.toContain("shop/batch");
    expect([told.code, [...ofWeb, ...ofBatch].some((one) => one.closed())]).toEqual([0, false]);

    const answers: Promise<number>[] = [];
    const asking = setInterval(() => {
      const path = "/short";
      answers.push(http1({ socket: mesh.callSocket("batch", "orders"), path }).then(({ status }) => status));
    }, 50);
    const severMs = performance.now();
    const endedAfterSeconds = await sever(ofWeb);
    expect(endedAfterSeconds).toBeGreaterThan(0);
    clearInterval(asking);
    expect(new Set(await Promise.all(answers))).toEqual(new Set([200]));
    const figures = { openBeforeMs: Math.round(severMs - startedMs), endedAfterSeconds };
    recordResult("revocation-sever", { ...figures, requestsOfOthersMeanwhile: answers.length });
    kept.push(await connection("batch"));
    const mark = mesh.records.mark();
    const refused = await http1({ socket: mesh.callSocket("web", "orders"), path: "/short" });
    expect(refused.status).toBe(403);
    expect(await decisionAfter(mesh, mark, ({ reason }) => reason === "revoked-identity")).toMatchObject({
      caller: WEB,
    });
  });

  const bounded = (name: string, address: string, adminSocket: string): string => {
    const workload = mesh.set.workloads.find((one) => one.name === name);
    if (workload === undefined) throw new Error(name);
    const input = { workload, set: mesh.set, envoyVersion: envoy.version, sockets: mesh.sockets(name) };
    return JSON.stringify(renderSidecar({ ...input, bindAddress: address, adminSocket }));
  };

  it("prints the bound that Envoy keeps", async () => {
    const [address = ""] = await loopbackAddresses(1);
    const admin = (name: string): string => join(mesh.stateDir, `${name}.sock`);
    const http = bounded("orders", address, admin("orders"));
    const tcp = bounded("db", address, admin("db"));
    expect(http).toContain('"max_stream_duration":"3600s"');
    expect(tcp).toContain('"max_downstream_connection_duration":"3600s"');
    const seconds: Record<string, number> = {};
    for (const [name, text] of atDepth({ quick: [], full: Object.entries({ orders: http, db: tcp }) })) {
      // The same with three seconds in place of an hour.
      const bootstrap: object = JSON.parse(text.replaceAll('"3600s"', '"3s"'));
      const sidecar = await runEnvoy({ path: envoy.path, bootstrap, adminSocket: admin(name) });
      await sidecar.ready();
      const shown = await ownIdentity(mesh.sockets("batch").workload);
      const startedMs = performance.now();
      const port = name === "db" ? 5432 : 8443;
      const outcome = await overTls({ host: address, port, from: address, shown }, requestBytes("/endless"));
      seconds[name] = Math.round(performance.now() - startedMs) / 1000;
      await sidecar.stop();
      // The one app answers and does not end, the other sends back what it got.
      expect(outcome.text).toMatch(name === "db" ? /^GET \/endless / : /^HTTP\/1\.1 200 /);
      expect([seconds[name] < 5, seconds[name] > 2.5]).toEqual([true, true]);
    }
    recordResult("revocation-bound", { boundSeconds: 3, endedAfterSeconds: seconds });
  });
});
