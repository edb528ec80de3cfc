import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { authorityStatus } from "../../protocol/index.ts";
import { type CheckClient, checkClient } from "../support/check-client.ts";
import { hasNodePackages, nodeBinary, OTHER_NODES } from "../support/node-binaries.ts";
import { type CommandProcess, runCommand, startCommand } from "../support/processes.ts";
import { until } from "../support/until.ts";

const LINES = [undefined, 22, 24] as const;
const DOWNLOAD_MS = 180_000;

// The built command, as a process of its own, on each line of Node.js that it supports.
describe.each(LINES)("on Node.js %s", (line) => {
  if (line !== undefined && !hasNodePackages) {
    it.skip("npm carries Node.js binaries for linux-x64 only");
    return;
  }
  const major = line ?? Number(process.versions.node.split(".")[0]);
  let folder = "";
  let node = process.execPath;
  let up: CommandProcess | undefined;
  let orders: CheckClient | undefined;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "cw-"));
    if (line !== undefined) node = await nodeBinary(line);
  }, DOWNLOAD_MS);
  afterAll(async () => {
    orders?.close();
    await up?.kill("SIGTERM");
    rmSync(folder, { recursive: true, force: true });
  });

  const cellwall = (...args: readonly string[]) => runCommand(args, { cwd: folder, node });

  it("says its version and what it runs on", async () => {
    const { code, output } = await cellwall("version", "--output", "json");
    expect(code).toBe(0);
    const runsOn = line === undefined ? process.versions.node : OTHER_NODES[line];
    expect(JSON.parse(output)).toMatchObject({ node: runsOn });
  });

  it("makes a set that has no findings, and says nothing beside", async () => {
    expect(await cellwall("init")).toMatchObject({ code: 0 });
    expect(await cellwall("check")).toMatchObject({
      code: 0,
      output: expect.stringMatching(/^test: [^\n]+\nok, [^\n]+\n$/),
    });
  });

  it("serves, decides, keeps its state in the right database, and says how it stands", async () => {
    up = startCommand(["up", "--port", "0"], { cwd: folder, node });
    await until(
      () => up?.output() ?? "",
      (text) => text.includes("is up"),
      { deadlineMs: 30_000, what: "`cellwall up` to serve" },
    );
    orders = checkClient(join(folder, ".cellwall", "run"), "orders");
    const ask = (path: string) =>
      orders?.check({
        caller: "spiffe://mesh.example/shop/web",
        destination: "spiffe://mesh.example/shop/orders",
        http: { method: "GET", path },
      });
    expect([await ask("/orders/42"), await ask("/admin")]).toEqual(["allowed", "403 denied-by-rule"]);
    const { code, output } = await cellwall("status", "--output", "json");
    expect(code).toBe(0);
    const { bundle } = authorityStatus.pick({ bundle: true }).loose().parse(JSON.parse(output));
    expect(bundle).toMatchObject({ revision: 1 });
    if (process.platform !== "linux") return;
    // The SQLite of Node.js itself is used where it is stable; before that a native module stands in.
    const usesNative = /libsql[^\n]*\.node/.test(readFileSync(`/proc/${up.pid}/maps`, "utf8"));
    expect(usesNative).toBe(major < 24);
  });

  it("ends when it is asked to, and finds its state again", async () => {
    await up?.kill("SIGTERM");
    expect(await up?.exited).toBe(0);
    orders?.close();
    up = startCommand(["up", "--port", "0"], { cwd: folder, node });
    await until(
      () => up?.output() ?? "",
      (text) => text.includes("is up"),
      { deadlineMs: 30_000, what: "`cellwall up` to serve again" },
    );
  });
});
