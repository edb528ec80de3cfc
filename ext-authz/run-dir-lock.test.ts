import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lockRunDir } from "./run-dir-lock.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cw-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("lockRunDir", () => {
  it("refuses a second agent on one run folder until the first lets go", async () => {
    const first = await lockRunDir(folder);
    await expect(lockRunDir(folder)).rejects.toMatchObject({ code: "ERR_AGENT_RUN_DIR_IN_USE" });
    await first.release();
    const second = await lockRunDir(folder);
    await second.release();
    expect(existsSync(join(folder, "agent.lock"))).toBe(false);
  });

  it("takes over the lock of a process that was killed", async () => {
    const path = join(folder, "agent.lock");
    const code = `require("net").createServer().listen(${JSON.stringify(path)}, () => console.log("up"))`;
    const child = spawn(process.execPath, ["-e", code], { stdio: ["ignore", "pipe", "inherit"] });
    await once(child.stdout, "data");
    await expect(lockRunDir(folder)).rejects.toMatchObject({ code: "ERR_AGENT_RUN_DIR_IN_USE" });
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(existsSync(path)).toBe(true);
    const lock = await lockRunDir(folder);
    await lock.release();
  });

  it("lets exactly one of many agents win, over a dead lock too", async () => {
    const path = join(folder, "agent.lock");
    const code = `require("net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`;
    await once(spawn(process.execPath, ["-e", code], { stdio: "ignore" }), "exit");
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => lockRunDir(folder)));
    const won = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
    expect(won).toHaveLength(1);
    await won[0]?.release();
  });
});
