import { ENVOY_IMAGE, NODE_IMAGE } from "../../containers/images.ts";
import type { ComposePlan, PlannedWorkload } from "./plan.ts";

/** What the added services need to know beside the plan. */
export interface EditOptions {
  /** Folder of the policies, as seen from the compose file. */
  readonly policies: string;
  /** How this package gets into the containers: a mount, and the command's module in there. */
  readonly packageMount: string;
  readonly mainModule: string;
  readonly namespace: string;
}

/** What the sidecars have in common, before `services`. */
export function sidecarAnchor(): string {
  return `x-cellwall-sidecar: &cellwall-sidecar
  image: ${ENVOY_IMAGE}
  restart: on-failure
  cap_drop: [ALL]
  security_opt: ["no-new-privileges:true"]

`;
}

/** The added services, a line each, without their indentation. */
export function addedServices(plan: ComposePlan, options: EditOptions): readonly string[] {
  return [
    "",
    "# Cellwall: authority and agent. It publishes each edit of the policies as it is saved, and gives the sockets of each workload to the",
    "# user of that workload's sidecar; three capabilities of root do that.",
    ...controlPlane(plan, options),
    "",
    ...plan.workloads.flatMap((workload) => [...sidecar(workload, options), ""]),
  ].slice(0, -1);
}

/** The added volumes. */
export function addedVolumes({ workloads }: ComposePlan): readonly string[] {
  return [
    "cellwall-state:",
    "cellwall-envoy:",
    ...workloads.map(({ name }) => `${name}-cellwall: { driver_opts: { type: tmpfs, device: tmpfs, o: "mode=0700" } }`),
  ];
}

const folderOf = (namespace: string, { name }: PlannedWorkload): string => `/run/cellwall/${namespace}.${name}`;

function controlPlane({ workloads }: ComposePlan, options: EditOptions): readonly string[] {
  const { mainModule, namespace, packageMount, policies } = options;
  const common = (capabilities: string): readonly string[] => [
    `  image: ${NODE_IMAGE}`,
    '  user: "0:0"',
    "  cap_drop: [ALL]",
    `  cap_add: [${capabilities}]`,
    "  network_mode: none",
  ];
  const mounts = [`    - ${packageMount}`, `    - ${policies}:/policies:ro`];
  return [
    "cellwall:",
    ...common("CHOWN, DAC_OVERRIDE, FOWNER"),
    "  restart: on-failure",
    "  command: >-",
    `    node ${mainModule} up /policies --state /var/lib/cellwall --run-dir /run/cellwall`,
    "    --metrics 127.0.0.1:9464 --decisions",
    "  tmpfs: [/run/cellwall]",
    "  volumes:",
    ...mounts,
    "    - cellwall-state:/var/lib/cellwall",
    ...workloads.map((workload) => `    - ${workload.name}-cellwall:${folderOf(namespace, workload)}`),
    "  healthcheck:",
    "    interval: 2s",
    "    retries: 30",
    "    test:",
    "      - CMD",
    "      - node",
    "      - --eval",
    "      - >-",
    '        fetch("http://127.0.0.1:9464/readyz").then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))',
    "",
    "# Writes each sidecar's configuration, from the policies, at every start.",
    "cellwall-envoy:",
    ...common("CHOWN"),
    "  command: >-",
    `    node ${mainModule} envoy render /policies --out /etc/cellwall --run-dir /run/cellwall`,
    `    --envoy-version ${ENVOY_IMAGE.split(":v")[1]}`,
    "  volumes:",
    ...mounts,
    "    - cellwall-envoy:/etc/cellwall",
  ];
}

function sidecar(workload: PlannedWorkload, { namespace }: EditOptions): readonly string[] {
  const { name, service, uid } = workload;
  const profiles = service.profiles.length > 0 ? [`  profiles: [${service.profiles.join(", ")}]`] : [];
  return [
    `${name}-sidecar:`,
    "  <<: *cellwall-sidecar",
    ...profiles,
    `  user: "${uid}:${uid}"`,
    `  network_mode: service:${service.name}`,
    `  command: envoy --config-path /etc/cellwall/${namespace}.${name}.json --disable-hot-restart`,
    "  volumes:",
    "    - cellwall-envoy:/etc/cellwall:ro",
    `    - ${name}-cellwall:${folderOf(namespace, workload)}`,
    "  depends_on:",
    `    ${service.name}: { condition: service_started }`,
    "    cellwall: { condition: service_healthy }",
    "    cellwall-envoy: { condition: service_completed_successfully }",
  ];
}
