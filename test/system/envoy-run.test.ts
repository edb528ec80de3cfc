import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loopbackAddresses } from "../../cli/local-mesh/index.ts";
import { http1App, type TestApp } from "../support/apps.ts";
import { http1 } from "../support/clients.ts";
import { meshDocuments } from "../support/mesh-documents.ts";
import { type CommandProcess, startCommand } from "../support/processes.ts";
import { until } from "../support/until.ts";

const READY = /ready \(process (\d+)\)/g;

describe("cellwall envoy run", () => {
  const folder = mkdtempSync(join(tmpdir(), "cw-"));
  const outbound = join(folder, "to-orders.sock");
  const commands: CommandProcess[] = [];
  const addresses = { orders: "" };
  let orders: CommandProcess;
  let app: TestApp | undefined;

  beforeAll(async () => {
    const [ordersAddress = "", webAddress = ""] = await loopbackAddresses(2);
    addresses.orders = ordersAddress;
    mkdirSync(join(folder, "policies"));
    writeFileSync(join(folder, "policies", "mesh.yaml"), meshYaml(folder, ordersAddress, webAddress));
    app = await http1App(join(folder, "app.sock"));
    const start = (...args: readonly string[]): CommandProcess => {
      const command = startCommand(args, { cwd: folder });
      commands.push(command);
      return command;
    };
    const up = start("up", "--port", "0");
    await until(
      () => up.output(),
      (text) => /serves 2 workloads[\s\S]* cellwall envoy run --workload shop\/orders\n/.test(text),
      { deadlineMs: 30_000, what: "`cellwall up` to serve" },
    );
    orders = start("envoy", "run", "--workload", "orders");
    const web = start("envoy", "run", "--workload", "web");
    for (const sidecar of [orders, web])
      await until(
        () => envoysOf(sidecar).length,
        (count) => count === 1,
        { deadlineMs: 30_000 },
      );
  });
  afterAll(async () => {
    for (const command of commands.reverse()) await command.kill("SIGINT");
    await app?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("runs sidecars that carry what a line allows and deny the rest", async () => {
    expect((await http1({ socket: outbound, path: "/orders/1" })).status).toBe(200);
    expect((await http1({ socket: outbound, path: "/admin" })).status).toBe(403);
    expect(app?.requests.map(({ path }) => path)).toEqual(["/orders/1"]);
  });

  it("starts Envoy again when it is killed", async () => {
    const [first] = envoysOf(orders);
    process.kill(first ?? 0, "SIGKILL");
    await until(
      () => envoysOf(orders).length,
      (count) => count === 2,
      { deadlineMs: 30_000 },
    );
    const answer = await until(
      () => http1({ socket: outbound, path: "/orders/2" }),
      ({ status }) => status === 200,
      { deadlineMs: 20_000 },
    );
    expect(answer.status).toBe(200);
    expect(orders.output()).toContain("SIGKILL");
  });

  it("ends with 0 on Ctrl-C and takes its Envoy along", async () => {
    const envoy = envoysOf(orders).at(-1) ?? 0;
    await orders.kill("SIGINT");
    expect(await orders.exited).toBe(0);
    await until(
      () => isRunning(envoy),
      (running) => !running,
      { what: "Envoy to end" },
    );
  });

  it("is no sidecar without all of its listeners: a port that is taken ends Envoy, with the reason", async () => {
    const squatter = createServer().listen(8443, addresses.orders);
    await once(squatter, "listening");
    const again = startCommand(["envoy", "run", "--workload", "orders"], { cwd: folder });
    commands.push(again);
    await until(
      () => again.output(),
      (text) => /Envoy ended \(/.test(text) && text.includes("cannot bind"),
      { deadlineMs: 30_000, what: "Envoy to end" },
    );
    expect(again.output()).not.toMatch(READY);
    await new Promise((resolve) => squatter.close(resolve));
    await until(
      () => envoysOf(again).length,
      (count) => count === 1,
      { deadlineMs: 30_000 },
    );
  });
});

/** Process ids of the Envoys that a command has reported ready, in order. */
function envoysOf(command: CommandProcess): readonly number[] {
  return [...command.output().matchAll(READY)].map(([, pid]) => Number(pid));
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function meshYaml(folder: string, orders: string, web: string): string {
  return meshDocuments({
    folder,
    workloads: {
      orders: { address: orders, listens: [{ port: 8443 }] },
      web: { address: web, calls: ["orders"] },
    },
    policies: { orders: { allow: { "web-reads": { from: "web", requests: ["GET /orders/{id:int}"] } } } },
  });
}
