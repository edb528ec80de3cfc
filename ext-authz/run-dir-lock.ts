import { randomBytes } from "node:crypto";
import { readdirSync, renameSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { AgentError, messageOf } from "./agent-error.ts";
import { answers } from "./socket-folder.ts";

/** Proof that this agent alone serves a run folder. */
export interface RunDirLock {
  release(): Promise<void>;
}

const LOCK = /^agent-[0-9a-f]{16}\.lock$/;
const ATTEMPTS = 4;

/**
 * Takes a run folder for this agent: publishes a socket of its own there and looks whether another agent's answers. The kernel drops
 * the lock with the process, and it holds across containers that share the folder. Throws `AgentError` `ERR_AGENT_RUN_DIR_IN_USE`.
 *
 * INVARIANT: each lock answers before it has its name, no name is used twice, and each agent publishes before it looks, so of two
 * agents at least one sees the other. Where both do, both withdraw and try again after a random wait.
 */
export async function lockRunDir(runDir: string): Promise<RunDirLock> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const own = await publish(runDir);
    if (!(await othersAnswer(runDir, own.name))) return own;
    await own.release();
    await sleep(10 + Math.random() * 60);
  }
  throw new AgentError("ERR_AGENT_RUN_DIR_IN_USE", `another agent serves the run folder \`${runDir}\``, {
    hint: "stop that agent, or give this one a run folder of its own",
  });
}

async function publish(runDir: string): Promise<RunDirLock & { readonly name: string }> {
  const name = `agent-${randomBytes(8).toString("hex")}.lock`;
  const path = join(runDir, name);
  const unnamed = join(runDir, `.${name}`);
  try {
    const server = await listen(unnamed);
    renameSync(unnamed, path);
    return { name, release: () => close(server, path) };
  } catch (error) {
    throw new AgentError("ERR_AGENT_RUN_DIR", `the run folder \`${runDir}\` cannot be locked: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

async function othersAnswer(runDir: string, own: string): Promise<boolean> {
  for (const name of readdirSync(runDir)) {
    if (name === own || !LOCK.test(name)) continue;
    if (await answers(join(runDir, name))) return true;
    rmSync(join(runDir, name), { force: true });
  }
  return false;
}

function listen(path: string): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer((socket) => socket.destroy());
    server.unref();
    server.once("error", reject);
    server.listen({ path, exclusive: true }, () => resolve(server));
  });
}

function close(server: Server, path: string): Promise<void> {
  rmSync(path, { force: true });
  return new Promise((resolve) => {
    server.close(() => resolve());
  });
}
