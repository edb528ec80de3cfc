import type { MeshName } from "../../compose/index.ts";
import { formatEnvoyVersion, PINNED_VERSION } from "../../envoy/index.ts";
import type { PolicySet, Sidecar, Workload } from "../../policies/index.ts";
import { COMMON, CONTROL_PLANE } from "./compose-parts.ts";
import { ENVOY_IMAGE, NODE_IMAGE } from "./images.ts";

/** What the description of a demo mesh does not hold: who in it was taken over, and who makes traffic by itself. */
const CAST: Readonly<Record<MeshName, { readonly about: string; readonly takenOver: string; readonly busy: string }>> =
  {
    shop: {
      about: "Three tiers behind Envoy sidecars, web -> orders -> db, and an intruder.",
      takenOver: "intruder",
      busy: "web",
    },
    boutique: {
      about:
        "Ten services over gRPC, shaped like Online Boutique: their Redis, a load generator, a front door on port 8080.",
      takenOver: "adservice",
      busy: "loadgenerator",
    },
  };

interface Member {
  readonly workload: Workload;
  readonly sidecar: Sidecar;
  readonly uid: number;
}

/** The compose file of a demo mesh, from its policy set: two containers a workload, and the volumes that the two share. */
export function composeFile(mesh: MeshName, set: PolicySet): string {
  const members = set.workloads.map(memberOf);
  return [
    header(mesh),
    COMMON(NODE_IMAGE, ENVOY_IMAGE),
    "services:",
    CONTROL_PLANE({
      envoyVersion: formatEnvoyVersion(PINNED_VERSION),
      agentMounts: members.map(({ workload }) => `${agentVolume(workload)}:${socketFolder(workload)}`),
    }),
    ...members.flatMap((member) => [app(mesh, member), sidecarService(member)]),
    attack(mesh, members),
    networks(members),
    volumes(members),
  ].join("\n");
}

function memberOf(workload: Workload): Member {
  const [uid] = workload.attest.flatMap((way) => (way.kind === "socket" ? [way.uid] : []));
  if (workload.sidecar === undefined || uid === undefined)
    throw new TypeError(`\`${workload.name}\` needs a sidecar and the uid of its socket`);
  return { workload, sidecar: workload.sidecar, uid };
}

const agentVolume = ({ name }: Workload): string => `${name}-agent`;
const appVolume = ({ name }: Workload): string => `${name}-app`;
const socketFolder = ({ namespace, name }: Workload): string => `/run/cellwall/${namespace}.${name}`;
const unixPath = (address: string): string => address.replace(/^unix:/, "");

function header(mesh: MeshName): string {
  return `# ${CAST[mesh].about}
#
#   npm ci && npm run build                                  once, in the root of the package
#   docker compose up --detach
#   docker compose logs --follow agent                       every decision as it falls
#   docker compose --profile attack run --rm attack          what an intruder can do; exit code 1 on a surprise
#   docker compose --profile attack down --volumes
#
# Each workload is two containers with one user id and one network namespace: the app, which listens on a unix socket alone, and its
# sidecar. They share \`<name>-app\`, the sockets between them; \`<name>-agent\` has the agent's sockets for this workload, and nobody else
# mounts it. What the workloads are and may do stands in policies/, their places and user ids in containers/.
#
# Written from those documents; a test holds it against them (docs/compose.md).
`;
}

function app(mesh: MeshName, { workload, sidecar, uid }: Member): string {
  const { name } = workload;
  const { takenOver, busy } = CAST[mesh];
  const listens = sidecar.listens.map((listen) => unixPath(listen.app));
  const args = [
    ...listens.map((path) => `--listen ${path}`),
    ...sidecar.calls.map((call) => `--peer ${call.workload.name}=${unixPath(call.local)}`),
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

function sidecarService({ workload, sidecar, uid }: Member): string {
  const { namespace, name } = workload;
  const ports = sidecar.listens.map(({ port }) => port);
  return `  ${name}-sidecar:
    <<: *sidecar
    user: "${uid}:${uid}"
    network_mode: service:${name}
    command: envoy --config-path /etc/cellwall/${namespace}.${name}.json --concurrency 1 --disable-hot-restart --log-level warning
    volumes:
      - envoy-config:/etc/cellwall:ro
      - ${appVolume(workload)}:/run/app
      - ${agentVolume(workload)}:${socketFolder(workload)}
    depends_on: { ${name}: *started, agent: *healthy, envoy-config: *done }
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

function attack(mesh: MeshName, members: readonly Member[]): string {
  return `  # Plays the scenario: it has each app make calls, from that app's container, and reads in the decision log why they went as they did.
  attack:
    <<: *cellwall
    profiles: [attack]
    restart: "no"
    user: "0:0"
    cap_add: [DAC_OVERRIDE]
    network_mode: none
    command: demo --mesh ${mesh} --attach /apps --log /log/decisions.jsonl
    volumes:
      - *package
      - decisions:/log:ro
${members.map(({ workload }) => `      - ${appVolume(workload)}:/apps/${workload.name}\n`).join("")}    depends_on:
${members.map(({ workload }) => `      ${workload.name}: *healthy\n      ${workload.name}-sidecar: *healthy\n`).join("")}`;
}

function networks(members: readonly Member[]): string {
  const front = members.some(({ sidecar }) => sidecar.listens.some((listen) => listen.clients === "public"));
  return `networks:
  # Sidecar to sidecar, and nothing else: no way out.
  mesh: { internal: true }
  # Agent to authority. No workload is on it.
  control: { internal: true }
${front ? "  # The front door's published port.\n  outside: {}\n" : ""}`;
}

function volumes(members: readonly Member[]): string {
  const sockets = members.map(
    ({ workload, uid }) =>
      `  ${appVolume(workload)}: { driver_opts: { type: tmpfs, device: tmpfs, o: "uid=${uid},gid=${uid},mode=0700" } }
  ${agentVolume(workload)}: { driver_opts: { type: tmpfs, device: tmpfs, o: "mode=0700" } }
`,
  );
  return `volumes:
  authority-state:
  join-token:
  agent-state:
  decisions:
  envoy-config:
  # Sockets, in memory. An app's folder belongs to its user; the agent gives a workload's folder to its user when it opens the sockets.
${sockets.join("")}`;
}
