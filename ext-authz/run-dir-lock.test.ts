import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lockRunDir } from "./run-dir-lock.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cw-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A process that listens as an agent's lock does. */
async function holder() {
  const path = join(folder, "agent-0123456789abcdef.lock");
  const code = `require("net").createServer().listen(${JSON.stringify(path)}, () => console.log("up"))`;
  const child = spawn(process.execPath, ["-e", code], { stdio: ["ignore", "pipe", "inherit"] });
  await once(child.stdout, "data");
  return {
    async kill() {
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

describe("lockRunDir", () => {
  it("refuses a second agent on one run folder until the first lets go", async () => {
    const first = await lockRunDir(folder);
    await expect(lockRunDir(folder)).rejects.toMatchObject({ code: "ERR_AGENT_RUN_DIR_IN_USE" });
    await first.release();
    const second = await lockRunDir(folder);
    await second.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("takes over the lock of a process that was killed", async () => {
    const other = await holder();
    await expect(lockRunDir(folder)).rejects.toMatchObject({ code: "ERR_AGENT_RUN_DIR_IN_USE" });
    await other.kill();
    expect(readdirSync(folder)).toHaveLength(1);
    const lock = await lockRunDir(folder);
    await lock.release();
  });

  it("never lets two of many agents win, over a dead lock too", async () => {
    for (let round = 0; round < 5; round++) {
      await (await holder()).kill();
      const results = await Promise.allSettled(Array.from({ length: 6 }, () => lockRunDir(folder)));
      const won = results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
      expect(won.length).toBeLessThanOrEqual(1);
      for (const lock of won) await lock.release();
    }
  });
});
