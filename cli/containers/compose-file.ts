import type { MeshName } from "../../compose/index.ts";
import { formatEnvoyVersion, PINNED_VERSION } from "../../envoy/index.ts";
import type { PolicySet } from "../../policies/index.ts";
import { attack } from "./attack-service.ts";
import { CAST } from "./cast.ts";
import { COMMON } from "./compose-parts.ts";
import { controlPlane, type Plane } from "./control-plane.ts";
import { ENVOY_IMAGE, NODE_IMAGE } from "./images.ts";
import {
  agentVolume,
  app,
  appVolume,
  type Member,
  memberOf,
  sidecarService,
  socketFolder,
} from "./workload-services.ts";

/** One trust domain of a demo mesh. */
export interface ComposeSide {
  readonly namespace: string;
  readonly set: PolicySet;
}

/** The compose file of a demo mesh, from its policy sets: two containers a workload, and the volumes that the two share. */
export function composeFile(mesh: MeshName, sides: readonly ComposeSide[]): string {
  const planes = sides.map((side) => planeOf(side, sides));
  const members = sides.flatMap(({ set }, index) => set.workloads.map((each) => memberOf(each, planes[index])));
  return [
    header(mesh, planes),
    COMMON(NODE_IMAGE, ENVOY_IMAGE),
    "services:",
    ...planes.map((plane) =>
      controlPlane(plane, {
        envoyVersion: formatEnvoyVersion(PINNED_VERSION),
        agentMounts: members
          .filter((member) => member.plane === plane)
          .map(({ workload }) => `${agentVolume(workload)}:${socketFolder(workload)}`),
      }),
    ),
    ...members.flatMap((member) => [app(mesh, member), sidecarService(member)]),
    attack(mesh, members, planes),
    networks(members, planes),
    volumes(members, planes),
  ].join("\n");
}

/** A mesh of one trust domain needs no prefixes. */
function planeOf({ namespace, set }: ComposeSide, sides: readonly ComposeSide[]): Plane {
  const { trustDomain } = set.mesh;
  if (sides.length === 1) return { prefix: "", folder: ".", namespace, trustDomain, partners: [] };
  const others = sides.filter((side) => side.namespace !== namespace);
  return {
    prefix: `${namespace}-`,
    folder: `./${namespace}`,
    namespace,
    trustDomain,
    partners: others.map((other) => other.set.mesh.trustDomain),
  };
}

function header(mesh: MeshName, planes: readonly Plane[]): string {
  const agents = planes.map(({ prefix }) => `${prefix}agent`).join(" ");
  const where = planes.length === 1 ? "" : ` of ${planes.map(({ folder }) => folder.slice(2)).join("/ and ")}/`;
  return `# ${CAST[mesh].about}
#
#   npm ci && npm run build                                  once, in the root of the package
#   docker compose up --detach
#   ${`docker compose logs --follow ${agents}`.padEnd(57)}every decision as it falls
#   docker compose --profile attack run --rm attack          what an intruder can do; exit code 1 on a surprise
#   docker compose --profile attack down --volumes
#
# Each workload is two containers with one user id and one network namespace: the app, which listens on a unix socket alone, and its
# sidecar. They share \`<name>-app\`, the sockets between them; \`<name>-agent\` has the agent's sockets for this workload, and nobody else
# mounts it. What the workloads are and may do stands in policies/${where}, their places and user ids in containers/.
#
# Written from those documents; a test holds it against them (docs/compose.md).
`;
}

/** All workloads share one network, those of several trust domains too: it is no border. */
function networks(members: readonly Member[], planes: readonly Plane[]): string {
  const front = members.some(({ sidecar }) => sidecar.listens.some((listen) => listen.clients === "public"));
  const federated = planes.length > 1;
  const between = federated ? "  # Authority to authority: bundle endpoints.\n  border: { internal: true }\n" : "";
  return `networks:
  # Sidecar to sidecar, and nothing else: no way out.${federated ? " It is one network, and no border between the two." : ""}
  mesh: { internal: true }
  # Agent to authority. No workload is on it.
${planes.map(({ prefix }) => `  ${prefix}control: { internal: true }\n`).join("")}${between}${front ? "  # The front door's published port.\n  outside: {}\n" : ""}`;
}

function volumes(members: readonly Member[], planes: readonly Plane[]): string {
  const own = planes.flatMap(({ prefix }) =>
    ["authority-state", "join-token", "agent-state", "decisions", "envoy-config"].map(
      (name) => `  ${prefix}${name}:\n`,
    ),
  );
  const sockets = members.map(
    ({ workload, uid }) =>
      `  ${appVolume(workload)}: { driver_opts: { type: tmpfs, device: tmpfs, o: "uid=${uid},gid=${uid},mode=0700" } }
  ${agentVolume(workload)}: { driver_opts: { type: tmpfs, device: tmpfs, o: "mode=0700" } }
`,
  );
  return `volumes:
${own.join("")}${planes.length > 1 ? "  # Trust bundles, which are public.\n  bundles:\n" : ""}  # Sockets, in memory. An app's folder belongs to its user; the agent gives a workload's folder to its user when it opens the sockets.
${sockets.join("")}`;
}
