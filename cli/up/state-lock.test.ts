import { spawn } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type StateFolder, stateFolder } from "../state-folder.ts";
import { useTempFolder } from "../testing/temp-folder.ts";
import { lockState } from "./state-lock.ts";

describe("lockState", () => {
  const folder = useTempFolder();
  const state = (): StateFolder => {
    const made = stateFolder("state", folder());
    mkdirSync(made.authority, { recursive: true });
    return made;
  };

  it("lets one process in, and the next one after it", () => {
    const here = state();
    const lock = lockState(here);
    expect(() => lockState(here)).toThrow("another authority runs on the state folder");
    lock.release();
    lockState(here).release();
    expect(existsSync(join(here.authority, "lock"))).toBe(false);
  });

  it("takes the lock of a process that is gone", async () => {
    const here = state();
    const child = spawn(process.execPath, ["-e", "process.stdin.resume()"], { stdio: ["pipe", "ignore", "ignore"] });
    const held = lockState(here, child.pid);
    expect(() => lockState(here)).toThrow("another authority");
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
    const lock = lockState(here);
    held.release();
    expect(() => lockState(here)).toThrow("another authority");
    lock.release();
  });

  it.runIf(process.platform === "linux")(
    "takes the lock of a process whose id another one has by now (Linux: start times from /proc)",
    () => {
      const here = state();
      writeFileSync(join(here.authority, "lock"), `${process.pid} 1\n`);
      lockState(here).release();
    },
  );

  it("takes a lock that nobody can read", () => {
    const here = state();
    writeFileSync(join(here.authority, "lock"), "?");
    lockState(here).release();
  });
});
