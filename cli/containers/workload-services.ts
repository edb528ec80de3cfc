import type { MeshName } from "../../compose/index.ts";
import type { ForeignCall, Sidecar, Workload } from "../../policies/index.ts";
import { CAST } from "./cast.ts";
import type { Plane } from "./control-plane.ts";

/** One workload of a demo mesh in containers. */
export interface Member {
  readonly workload: Workload;
  readonly sidecar: Sidecar;
  readonly uid: number;
  readonly plane: Plane;
}

/** A workload with all that its containers need; throws where its documents do not say it. */
export function memberOf(workload: Workload, plane: Plane | undefined): Member {
  const [uid] = workload.attest.flatMap((way) => (way.kind === "socket" ? [way.uid] : []));
  if (workload.sidecar === undefined || uid === undefined || plane === undefined)
    throw new TypeError(`\`${workload.name}\` needs a sidecar and the uid of its socket`);
  return { workload, sidecar: workload.sidecar, uid, plane };
}

/** Volume of the agent's sockets for a workload. */
export const agentVolume = ({ name }: Workload): string => `${name}-agent`;
/** Volume of the sockets between app and sidecar. */
export const appVolume = ({ name }: Workload): string => `${name}-app`;
/** Folder of the agent's sockets for a workload. */
export const socketFolder = ({ namespace, name }: Workload): string => `/run/cellwall/${namespace}.${name}`;
const unixPath = (address: string): string => address.replace(/^unix:/, "");

/** The container of a workload's app. */
export function app(mesh: MeshName, { workload, sidecar, uid }: Member): string {
  const { name } = workload;
  const { takenOver, busy } = CAST[mesh];
  const listens = sidecar.listens.map((listen) => unixPath(listen.app));
  const args = [
    ...listens.map((path) => `--listen ${path}`),
    ...sidecar.calls.map((call) => `--peer ${call.workload.name}=${unixPath(call.local)}`),
    ...(sidecar.foreignCalls ?? []).map((call) => `--peer ${calleeOf(call)}=${unixPath(call.local)}`),
    "--drive /run/app/drive.sock",
    ...(name === busy ? ["--busy-every 5"] : []),
  ];
  const front = sidecar.listens.filter((listen) => listen.clients === "public");
  const stolen = name === takenOver;
  return `  ${name}:
    <<: *app
    user: "${uid}:${uid}"
    command: >-
      ${mesh} ${name}
      ${args.join("\n      ")}
    networks: [mesh${front.length > 0 ? ", outside" : ""}]
${front.map(({ port }) => `    ports: ["127.0.0.1:\${FRONT_PORT:-${port}}:${port}"]\n`).join("")}    volumes:
      - *package
      - ${appVolume(workload)}:/run/app
${stolen ? `      # It was taken over: the attacker has the workload's identity too.\n      - ${agentVolume(workload)}:${socketFolder(workload)}\n` : ""}    healthcheck: { <<: *often, test: [CMD, test, -S, ${listens[0] ?? "/run/app/drive.sock"}] }
`;
}

/** The container of its sidecar. */
export function sidecarService({ workload, sidecar, uid, plane: { prefix } }: Member): string {
  const { namespace, name } = workload;
  const ports = sidecar.listens.map(({ port }) => port);
  return `  ${name}-sidecar:
    <<: *sidecar
    user: "${uid}:${uid}"
    network_mode: service:${name}
    command: envoy --config-path /etc/cellwall/${namespace}.${name}.json --concurrency 1 --disable-hot-restart --log-level warning
    volumes:
      - ${prefix}envoy-config:/etc/cellwall:ro
      - ${appVolume(workload)}:/run/app
      - ${agentVolume(workload)}:${socketFolder(workload)}
    depends_on: { ${name}: *started, ${prefix}agent: *healthy, ${prefix}envoy-config: *done }
    # It opens its listeners when it has its identity.
    healthcheck: { <<: *often, test: ${readiness(ports, sidecar)} }
`;
}

/** Looks into the kernel's table of listening ports: a connection to look would be logged as a refused one. */
function readiness(ports: readonly number[], sidecar: Sidecar): string {
  const [port] = ports;
  if (port === undefined) return `[CMD, test, -S, ${unixPath(sidecar.calls[0]?.local ?? "")}]`;
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  return `[CMD, grep, -q, ":${hex} 00000000:0000 0A", /proc/net/tcp]`;
}

const calleeOf = ({ identity }: ForeignCall): string => identity.path.split("/").at(-1) ?? "";
