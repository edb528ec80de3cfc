import { chmodSync, chownSync, lchownSync, lstatSync, mkdirSync, rmSync, unlinkSync } from "node:fs";
import { connect } from "node:net";
import { dirname } from "node:path";
import { AgentError, messageOf } from "./agent-error.ts";
import type { SocketPaths } from "./socket-paths.ts";

/** Makes the folder that all sockets live under: 0700, or 0711 where sockets of other users must be reachable below it. */
export function prepareRunDir(runDir: string, options: { readonly otherUsers: boolean }): void {
  try {
    mkdirSync(runDir, { recursive: true, mode: 0o700 });
    ownFolder(runDir);
    chmodSync(runDir, options.otherUsers ? 0o711 : 0o700);
  } catch (error) {
    if (error instanceof AgentError) throw error;
    throw new AgentError("ERR_AGENT_RUN_DIR", `the run folder \`${runDir}\` cannot be used: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/**
 * Makes a workload's folder, reachable by the agent alone until `openSocketFolder`, and clears stale sockets from it.
 * Throws `AgentError` `ERR_AGENT_SOCKET_IN_USE` where a process answers on one of them.
 */
export async function closeSocketFolder(paths: SocketPaths): Promise<void> {
  const folder = dirname(paths.authz);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const { uid } = lstatSync(folder);
  // SECURITY: the folder of an earlier run belongs to the workload's user; taken back first, so that nobody swaps entries below.
  if (isRoot() && uid !== process.getuid?.()) lchownSync(folder, 0, 0);
  ownFolder(folder);
  chmodSync(folder, 0o700);
  for (const path of Object.values(paths)) await removeStaleSocket(path);
}

/** Gives the bound sockets 0600 to their user, and the folder last. Without `uid` they stay the agent's own. */
export function openSocketFolder(paths: SocketPaths, uid: number | undefined): void {
  const owner = uid === undefined || uid === process.getuid?.() ? undefined : uid;
  for (const path of Object.values(paths)) {
    chmodSync(path, 0o600);
    if (owner !== undefined) lchownSync(path, owner, -1);
  }
  if (owner !== undefined) chownSync(dirname(paths.authz), owner, -1);
}

/** Removes a workload's sockets and their folder; what is gone already is fine. */
export function removeSocketFolder(paths: SocketPaths): void {
  for (const path of Object.values(paths)) rmSync(path, { force: true });
  try {
    rmSync(dirname(paths.authz), { recursive: true, force: true });
  } catch {
    // A folder that something else put files into stays.
  }
}

/** Removes a socket that nobody answers on; throws `ERR_AGENT_SOCKET_IN_USE` where somebody does. */
export async function removeStaleSocket(path: string): Promise<void> {
  const kind = lstatSync(path, { throwIfNoEntry: false });
  if (kind === undefined) return;
  if (kind.isSocket() && (await answers(path))) {
    throw new AgentError("ERR_AGENT_SOCKET_IN_USE", `another process serves \`${path}\``, {
      hint: "stop it, or choose another run folder",
    });
  }
  unlinkSync(path);
}

/** Whether a process accepts connections on a unix socket. */
export function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    // A full backlog (EAGAIN) is an answer too: somebody listens.
    socket.once("error", (error: NodeJS.ErrnoException) => resolve(error.code === "EAGAIN"));
  });
}

function ownFolder(folder: string): void {
  const found = lstatSync(folder);
  if (!found.isDirectory()) throw new AgentError("ERR_AGENT_RUN_DIR", `\`${folder}\` is not a folder`);
  const uid = process.getuid?.();
  if (uid !== undefined && found.uid !== uid) {
    throw new AgentError(
      "ERR_AGENT_RUN_DIR",
      `\`${folder}\` belongs to uid ${found.uid}, the agent runs as uid ${uid}`,
      {
        hint: "remove it, or choose another run folder",
      },
    );
  }
}

/** Whether this process may give files away. */
export function isRoot(): boolean {
  return process.getuid?.() === 0;
}
