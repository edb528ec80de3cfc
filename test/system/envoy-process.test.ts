import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { locateEnvoy, runEnvoy } from "../../envoy/binary/index.ts";
import { renderSidecar } from "../../envoy/config/index.ts";
import { listen, meshOf, sidecar, workload } from "../../envoy/config/testing/sidecars.ts";
import { freePorts } from "../support/free-ports.ts";
import { until, waitFor } from "../support/until.ts";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cellwall-process-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Whether a process runs; one that has ended and waits for its parent to notice does not. */
function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return process.platform !== "linux" || !/\) Z/.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
  } catch {
    return false;
  }
}

async function sidecarWithoutAgent() {
  const [port = 0] = await freePorts(1);
  const web = workload("web", sidecar({ listens: [listen({ port })] }));
  const { path, version: envoyVersion } = await locateEnvoy();
  const adminSocket = join(folder, "admin.sock");
  const sockets = { authz: join(folder, "authz.sock"), envoy: join(folder, "envoy.sock") };
  return {
    path,
    adminSocket,
    bootstrap: renderSidecar({ workload: web, set: meshOf([web]), envoyVersion, sockets, adminSocket }),
  };
}

describe("runEnvoy", () => {
  it("is not ready without an identity, says so at the deadline, and stops when told", async () => {
    const envoy = await runEnvoy(await sidecarWithoutAgent());
    await expect(envoy.ready(2_000)).rejects.toMatchObject({
      code: "ERR_ENVOY_BINARY",
      message: expect.stringMatching(/within 2000 ms: it is (PRE_)?INITIALIZING/),
    });
    expect(await envoy.stop()).toMatchObject({ code: 0 });
    expect(alive(envoy.pid)).toBe(false);
  });

  it("says what Envoy said when it ends by itself", async () => {
    const { path, adminSocket } = await sidecarWithoutAgent();
    const lines: string[] = [];
    const bootstrap = { no_such_field: 1 };
    const envoy = await runEnvoy({ path, adminSocket, bootstrap, onLog: (line) => lines.push(line) });
    await expect(envoy.ready()).rejects.toMatchObject({ message: expect.stringContaining("no_such_field") });
    expect((await envoy.exited).code).not.toBe(0);
    expect(lines.join("\n")).toContain("no_such_field");
  });

  it("throws for a binary that cannot be started", async () => {
    await expect(runEnvoy({ path: join(folder, "none"), bootstrap: {} })).rejects.toMatchObject({
      code: "ERR_ENVOY_BINARY",
    });
  });
});

describe("a process that ends", () => {
  /** A process of its own that starts `sleep` as `runEnvoy` starts Envoy, prints its pid, and then does as told. */
  function parent(then: string): ChildProcess {
    const script = join(folder, "parent.mjs");
    const code = `
      import { spawn } from "node:child_process";
      import { createViteServer } from ${JSON.stringify(new URL("../../node_modules/vitest/dist/node.js", import.meta.url).href)};
      const server = await createViteServer({ root: ${JSON.stringify(root)}, configFile: false, logLevel: "silent", server: { middlewareMode: true, ws: false, watch: null }, appType: "custom", optimizeDeps: { noDiscovery: true } });
      const { tieToThisProcess } = await server.ssrLoadModule("/envoy/binary/lifeline.ts");
      await server.close();
      const start = () => spawn("sleep", ["600"], { detached: true, stdio: "ignore" });
      const [tied, untied] = [start(), start()];
      tieToThisProcess(tied.pid);
      tieToThisProcess(untied.pid)();
      console.log(tied.pid + " " + untied.pid);
      ${then}`;
    writeFileSync(script, code);
    return spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "ignore"] });
  }

  it.each([
    ["is killed", "setInterval(() => {}, 1000);", (child: ChildProcess) => child.kill("SIGKILL")],
    ["is told to end", "setInterval(() => {}, 1000);", (child: ChildProcess) => child.kill("SIGTERM")],
    ["exits", "setTimeout(() => process.exit(3), 100);", () => true],
    ["throws", "setTimeout(() => { throw new Error('on purpose'); }, 100);", () => true],
  ])("takes its sidecars along when it %s, and none that it has let go", async (_how, then, end) => {
    const child = parent(then);
    let output = "";
    child.stdout?.on("data", (data: Buffer) => {
      output += data.toString();
    });
    const [tied, untied] = await waitFor("the pids", () => /^(\d+) (\d+)\n/.exec(output)?.slice(1).map(Number));
    if (tied === undefined || untied === undefined) throw new Error("no pids");
    try {
      expect([alive(tied), alive(untied)]).toEqual([true, true]);
      end(child);
      await until(
        () => alive(tied),
        (lives) => !lives,
        { deadlineMs: 5_000, what: "the tied process's end" },
      );
      expect(alive(untied)).toBe(true);
    } finally {
      process.kill(untied, "SIGKILL");
    }
  });
});
