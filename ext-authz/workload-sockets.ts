import type { Server } from "@grpc/grpc-js";
import { AgentError, messageOf } from "./agent-error.ts";
import type { CheckHandler } from "./check-handler.ts";
import {
  bindUnix,
  type CheckServer,
  closeServer,
  grpcServer,
  type StartCheckServer,
  startCheckServer,
} from "./check-server.ts";
import { closeSocketFolder, openSocketFolder, removeSocketFolder } from "./socket-folder.ts";
import type { SocketPaths } from "./socket-paths.ts";

/** What the three sockets of one workload serve. */
export interface WorkloadSocketsOptions {
  readonly paths: SocketPaths;
  /** Who may open them; the agent's own user where undefined. */
  readonly uid: number | undefined;
  readonly handler: CheckHandler;
  /** Adds the sidecar's services: secrets and access log. */
  readonly addEnvoyServices: (server: Server) => void;
  readonly addWorkloadServices: (server: Server) => void;
  readonly startCheckServer?: StartCheckServer;
}

/** Open sockets. */
export interface WorkloadSockets {
  readonly paths: SocketPaths;
  /** Ends the servers and removes the sockets. */
  close(): Promise<void>;
}

const MAX_ENVOY_BYTES = 4 * 1024 * 1024;
const MAX_WORKLOAD_BYTES = 64 * 1024;

/** Opens a workload's three sockets; the folder is the agent's alone until all of them are there. */
export async function openWorkloadSockets(options: WorkloadSocketsOptions): Promise<WorkloadSockets> {
  const { paths } = options;
  const closers: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(closers.splice(0).map((closer) => closer()));
    removeSocketFolder(paths);
  };
  await closeSocketFolder(paths);
  try {
    await serve(paths.envoy, MAX_ENVOY_BYTES, options.addEnvoyServices, closers);
    await serve(paths.workload, MAX_WORKLOAD_BYTES, options.addWorkloadServices, closers);
    const checks: CheckServer = await (options.startCheckServer ?? startCheckServer)(paths.authz, options.handler);
    closers.push(() => checks.close());
    openSocketFolder(paths, options.uid);
    return { paths, close };
  } catch (error) {
    await close();
    if (error instanceof AgentError) throw error;
    throw new AgentError(
      "ERR_AGENT_SOCKET_PATH",
      `the sockets of \`${paths.authz}\` cannot be opened: ${messageOf(error)}`,
      {
        cause: error,
      },
    );
  }
}

async function serve(
  path: string,
  maxReceiveBytes: number,
  addServices: (server: Server) => void,
  closers: (() => Promise<void>)[],
): Promise<void> {
  const server = grpcServer({ maxReceiveBytes });
  addServices(server);
  await bindUnix(server, path);
  // Its streams never end by themselves.
  closers.push(() => closeServer(server, 0));
}
