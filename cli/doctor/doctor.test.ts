import { chmodSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { run } from "../run.ts";
import { capturedIo } from "../testing/captured-io.ts";
import { useTempFolder } from "../testing/temp-folder.ts";
import { lookAtApp } from "./look-at-apps.ts";
import { clockVerdict } from "./look-at-clock.ts";
import { lookAtSocket } from "./look-at-sockets.ts";

const folder = useTempFolder();
const servers: Server[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

async function listen(where: string | { port: number; host: string }): Promise<number> {
  const server = createServer();
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(where, resolve));
  const address = server.address();
  return typeof address === "object" && address !== null ? address.port : 0;
}

/** An executable that says it is an Envoy of that version. */
function envoyOf(version: string): string {
  const path = join(folder(), "envoy");
  writeFileSync(path, `#!/bin/sh\necho "envoy  version: 0/${version}/Clean/RELEASE/BoringSSL"\n`);
  chmodSync(path, 0o755);
  return path;
}

function writeSet(app: string): void {
  mkdirSync(join(folder(), "policies"));
  const text = `apiVersion: cellwall.dev/v1
kind: Mesh
metadata: { name: m }
spec: { trustDomain: shop.example, defaultMode: enforce }
---
apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: orders, namespace: shop }
spec: { sidecar: { address: 127.0.0.1, listens: [{ port: 8443, app: "${app}", protocol: http }] } }
`;
  writeFileSync(join(folder(), "policies", "set.yaml"), text);
}

async function doctor(
  ...argv: string[]
): Promise<{ readonly code: number; readonly out: string; readonly err: string }> {
  const io = capturedIo(folder());
  return { code: await run(["doctor", ...argv], io), out: io.out(), err: io.err() };
}

describe("cellwall doctor", () => {
  it.skipIf(process.platform !== "linux")(
    "calls an app on every address a way around the sidecar (on Linux)",
    async () => {
      const port = await listen({ port: 0, host: "0.0.0.0" });
      writeSet(`127.0.0.1:${port}`);
      const { code, out } = await doctor("--envoy", envoyOf("1.40.0"));
      expect(out).toContain(
        `error    shop/orders: the app listens on 0.0.0.0:${port}: whoever reaches the host goes around the sidecar [app-exposed]`,
      );
      expect(code).toBe(1);
    },
  );

  it.skipIf(process.platform !== "linux")(
    "finds nothing where the app listens on loopback alone (on Linux)",
    async () => {
      const port = await listen({ port: 0, host: "127.0.0.1" });
      writeSet(`127.0.0.1:${port}`);
      const { code, out, err } = await doctor("--envoy", envoyOf("1.40.0"));
      expect(out).toContain(
        `ok       shop/orders: the app listens on loopback alone (127.0.0.1:${port}) [app-exposed]`,
      );
      expect([code, err]).toEqual([0, ""]);
    },
  );

  it("names an Envoy whose release has published holes", async () => {
    writeSet("127.0.0.1:1");
    const { code, out } = await doctor("--envoy", envoyOf("1.38.3"));
    expect(out).toMatch(/error {4}host: Envoy 1\.38\.3, `.*`: .*1\.38\.4 closes them \[envoy\]/);
    expect(code).toBe(1);
  });

  it("says what a sidecar refuses before any policy, and what the log shows of it", async () => {
    writeSet("127.0.0.1:1");
    const log = join(folder(), "log.jsonl");
    const record = (kind: string, reason: string, workload = "shop/orders") =>
      JSON.stringify({ kind, reason, workload, time: "2026-11-24T10:00:00.000Z" });
    const records = [
      record("request-refused", "path_normalization_failed"),
      record("request-refused", "path_normalization_failed"),
      record("connection-refused", "plaintext"),
      record("request-refused", "x", "shop/other"),
      '{"kind":"request-refused',
      record("decision", "x"),
    ];
    writeFileSync(log, records.join("\n"));
    const { out } = await doctor("--envoy", envoyOf("1.40.0"), "--log", log);
    expect(out).toContain("refuses  400  a path with `%2F` or `%5C`");
    expect(out).toContain("refuses  403  an upgrade, such as to WebSocket");
    expect(out).toMatch(
      /shop\/orders {2}2 x {2}request {5}path_normalization_failed {2}last 2026-11-24T10:00:00\.000Z\n {2}shop\/orders {2}1 x {2}connection {2}plaintext/,
    );
    expect(out).not.toContain("shop/other");
  });

  it("says that no agent is behind a socket that a killed one has left", async () => {
    writeSet("127.0.0.1:1");
    const run = join(folder(), "run");
    mkdirSync(join(run, "shop.orders"), { recursive: true, mode: 0o700 });
    const server = await listen(join(run, "shop.orders", "authz.sock")).then(() => servers.at(-1));
    const look = () => doctor("--envoy", envoyOf("1.40.0"), "--run-dir", run);
    expect((await look()).out).toMatch(/ok {7}shop\/orders: `.*authz\.sock` is for uid \d+ alone .*\[agent-socket\]/);
    // A socket file outlives a process that is killed; one that is closed removes its own.
    renameSync(join(run, "shop.orders", "authz.sock"), join(run, "shop.orders", "kept"));
    await new Promise((resolve) => server?.close(resolve));
    renameSync(join(run, "shop.orders", "kept"), join(run, "shop.orders", "authz.sock"));
    const { code, out } = await look();
    expect(out).toMatch(
      /error {4}shop\/orders: no agent is behind `.*authz\.sock` \[agent-absent\]\n +remedy: start `cellwall up`/,
    );
    expect(out).toMatch(/note {5}shop\/orders: there is no socket `.*envoy\.sock` at the moment \[agent-absent\]/);
    expect(code).toBe(1);
  });

  it("says which workloads it does not look at", async () => {
    writeSet("127.0.0.1:1");
    const own =
      "apiVersion: cellwall.dev/v1\nkind: Workload\nmetadata: { name: files, namespace: shop }\nspec: { mode: monitor }\n";
    writeFileSync(join(folder(), "policies", "own.yaml"), own);
    const { out } = await doctor("--envoy", envoyOf("1.40.0"));
    expect(out).toContain("skipped  set: 1 workload without a generated sidecar: shop/files [sidecar]");
  });

  it("looks at a configuration of the user's own, and writes JSON", async () => {
    writeSet("127.0.0.1:1");
    const config = {
      static_resources: { listeners: [], clusters: [] },
      admin: { address: { socket_address: { address: "0.0.0.0", port_value: 1 } } },
    };
    writeFileSync(join(folder(), "envoy.json"), JSON.stringify(config));
    const { code, out } = await doctor("--envoy", envoyOf("1.40.0"), "--config", "envoy.json", "--output", "json");
    const report: { ok: boolean; verdicts: { id: string; state: string }[] } = JSON.parse(out);
    expect([code, report.ok]).toEqual([1, false]);
    expect(report.verdicts).toContainEqual(expect.objectContaining({ id: "sidecar", state: "error" }));
  });
});

describe("what the doctor looks at", () => {
  it("is an error where others can replace a socket, and a warning where they can open it", async () => {
    const path = join(folder(), "app.sock");
    await listen(path);
    chmodSync(path, 0o600);
    expect(lookAtSocket("w", "app", path)).toMatchObject([{ id: "app-socket", state: "ok" }]);
    chmodSync(path, 0o666);
    expect(lookAtSocket("w", "app", path)).toMatchObject([{ id: "app-socket", state: "ok" }]);
    chmodSync(folder(), 0o755);
    expect(lookAtSocket("w", "app", path)).toMatchObject([{ id: "app-socket", state: "warning" }]);
    chmodSync(folder(), 0o777);
    expect(lookAtSocket("w", "app", path).map(({ id, state }) => [id, state])).toContainEqual(["app-folder", "error"]);
  });

  it("is an app behind a network, and nothing to say where the kernel does not tell", () => {
    expect(lookAtApp("w", { kind: "ip", address: "10.0.0.5", port: 80 }, [])).toMatchObject([
      { id: "app-elsewhere", state: "warning" },
    ]);
    expect(lookAtApp("w", { kind: "ip", address: "127.0.0.1", port: 80 }, undefined)).toMatchObject([
      { state: "skipped" },
    ]);
  });

  it.each([
    [500, "ok"],
    [-4_000, "ok"],
    [20_000, "warning"],
    [-120_000, "error"],
  ])("judges a clock that differs by %d ms as %s", (difference, state) => {
    expect(clockVerdict(difference).state).toBe(state);
  });
});
