import { join } from "node:path";
import { AgentError } from "./agent-error.ts";

/** The unix sockets of one workload. */
export interface SocketPaths {
  /** Envoy's `Check`. */
  readonly authz: string;
  /** Envoy's secrets and access log. */
  readonly envoy: string;
  /** The application's SPIFFE Workload API. */
  readonly workload: string;
}

/** Longest socket path in bytes: `sun_path` holds 104 on some systems, 108 on others, and needs its final zero. */
export const MAX_SOCKET_PATH_BYTES = 100;

const NAME = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** `<runDir>/<namespace>.<name>/{authz,envoy,workload}.sock`; throws `AgentError` `ERR_AGENT_SOCKET_PATH`. */
export function socketPaths(
  runDir: string,
  workload: { readonly namespace: string; readonly name: string },
): SocketPaths {
  const folder = workloadFolder(runDir, workload);
  const paths = {
    authz: join(folder, "authz.sock"),
    envoy: join(folder, "envoy.sock"),
    workload: join(folder, "workload.sock"),
  };
  for (const path of Object.values(paths)) checkLength(path);
  return Object.freeze(paths);
}

/** The folder of a workload's sockets. SECURITY: names are DNS labels, so no name leaves the run folder. */
export function workloadFolder(
  runDir: string,
  workload: { readonly namespace: string; readonly name: string },
): string {
  for (const name of [workload.namespace, workload.name]) {
    if (!NAME.test(name)) {
      throw new AgentError("ERR_AGENT_SOCKET_PATH", `\`${name}\` cannot name a socket folder: not a DNS label`);
    }
  }
  return join(runDir, `${workload.namespace}.${workload.name}`);
}

function checkLength(path: string): void {
  const lengthBytes = Buffer.byteLength(path);
  if (lengthBytes <= MAX_SOCKET_PATH_BYTES) return;
  throw new AgentError(
    "ERR_AGENT_SOCKET_PATH",
    `the socket path \`${path}\` is ${lengthBytes} bytes long, more than ${MAX_SOCKET_PATH_BYTES}`,
    { hint: "choose a run folder with a shorter path, such as one under /run or /tmp" },
  );
}
