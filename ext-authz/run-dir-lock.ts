import { lstatSync, renameSync, unlinkSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { AgentError } from "./agent-error.ts";
import { answers } from "./socket-folder.ts";

/** Proof that this agent alone serves a run folder. */
export interface RunDirLock {
  release(): Promise<void>;
}

const ATTEMPTS = 5;

/**
 * Takes a run folder for this agent by listening on `<runDir>/agent.lock`: the kernel drops the lock with the process, and it holds
 * across containers that share the folder. Throws `AgentError` `ERR_AGENT_RUN_DIR_IN_USE`.
 */
export async function lockRunDir(runDir: string): Promise<RunDirLock> {
  const path = join(runDir, "agent.lock");
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const server = await tryListen(path);
    if (server !== undefined) return { release: () => release(server) };
    if ((await answers(path)) || !(await discard(path, `${path}.${process.pid}.${attempt}`))) break;
  }
  throw new AgentError("ERR_AGENT_RUN_DIR_IN_USE", `another agent serves the run folder \`${runDir}\``, {
    hint: "stop that agent, or give this one a run folder of its own",
  });
}

function tryListen(path: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.unref();
    server.once("error", (error: NodeJS.ErrnoException) =>
      error.code === "EADDRINUSE" ? resolve(undefined) : reject(error),
    );
    server.listen({ path, exclusive: true }, () => resolve(server));
  });
}

/**
 * Moves a dead lock away. INVARIANT: renaming is atomic, so of two agents that find the same dead lock one moves it; the other one
 * may have moved the winner's fresh lock instead, which answers, and is put back.
 */
async function discard(path: string, aside: string): Promise<boolean> {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return true;
  try {
    renameSync(path, aside);
  } catch {
    return true;
  }
  if (await answers(aside)) {
    renameSync(aside, path);
    return false;
  }
  unlinkSync(aside);
  return true;
}

function release(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
