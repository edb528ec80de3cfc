import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CliError, systemCode, systemReason } from "../cli-error.ts";
import type { StateFolder } from "../state-folder.ts";

/** Proof that this process alone runs an authority on a state folder. */
export interface StateLock {
  release(): void;
}

/**
 * Takes a state folder for this process; `ERR_CLI_STATE` where another authority runs on it. The lock names a process by id and start
 * time, so that one which died without releasing it, or whose id another process has by now, does not hold it.
 */
export function lockState(state: StateFolder, pid: number = process.pid): StateLock {
  const file = join(state.authority, "lock");
  const own = lockText(pid);
  if (!tryWrite(file, own)) {
    const holder = readHolder(file);
    if (holder !== undefined && lockText(holder.pid) === holder.text) throw inUse(state, holder.pid);
    rmSync(file, { force: true });
    if (!tryWrite(file, own)) throw inUse(state, readHolder(file)?.pid);
  }
  return {
    release: () => {
      if (readHolder(file)?.text === own) rmSync(file, { force: true });
    },
  };
}

function tryWrite(file: string, text: string): boolean {
  try {
    writeFileSync(file, text, { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw new CliError("ERR_CLI_STATE", `cannot write \`${file}\`: ${systemReason(error) ?? "not writable"}`, {
      cause: error,
    });
  }
}

function readHolder(file: string): { readonly pid: number; readonly text: string } | undefined {
  try {
    const text = readFileSync(file, "utf8");
    const pid = Number(text.split(" ")[0]);
    return Number.isInteger(pid) && pid > 0 ? { pid, text } : undefined;
  } catch {
    return undefined;
  }
}

/** `<pid> <start time>` of a running process, `<pid> gone` of one that does not run. Start times exist on Linux only. */
function lockText(pid: number): string {
  return `${pid} ${isRunning(pid) ? startTime(pid) : "gone"}\n`;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) === "EPERM";
  }
}

/** Field 22 of `/proc/<pid>/stat`, counted after the command's name, which may hold anything. */
function startTime(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? "running";
  } catch {
    return "running";
  }
}

function inUse(state: StateFolder, pid: number | undefined): CliError {
  const by = pid === undefined ? "" : ` (process ${pid})`;
  return new CliError("ERR_CLI_STATE", `another authority runs on the state folder \`${state.root}\`${by}`, {
    hint: "`cellwall status` talks to it; stop it first, or choose another folder with `--state`",
  });
}
