import type { MeshName } from "../../compose/index.ts";
import type { Plane } from "./control-plane.ts";
import { appVolume, type Member } from "./workload-services.ts";

/** What plays the scenario, in a profile of its own. */
export function attack(mesh: MeshName, members: readonly Member[], planes: readonly Plane[]): string {
  const way = planes.length === 1 ? ofOne(mesh) : ofSeveral(mesh, planes);
  return `  # Plays the scenario: it has each app make calls, from that app's container, and reads in the decision log why they went as they did.
${way.about}  attack:
    <<: *cellwall
    profiles: [attack]
    restart: "no"
    user: "0:0"
    cap_add: [DAC_OVERRIDE]
    network_mode: ${way.network}
    command: ${way.command}
    volumes:
      - *package
${way.volumes.map((each) => `      - ${each}\n`).join("")}${members.map(({ workload }) => `      - ${appVolume(workload)}:/apps/${workload.name}\n`).join("")}    depends_on:
${way.after.map((each) => `      ${each}: *done\n`).join("")}${members.map(({ workload }) => `      ${workload.name}: *healthy\n      ${workload.name}-sidecar: *healthy\n`).join("")}`;
}

interface Way {
  readonly about: string;
  readonly network: string;
  readonly command: string;
  readonly volumes: readonly string[];
  readonly after: readonly string[];
}

function ofOne(mesh: MeshName): Way {
  return {
    about: "",
    network: "none",
    command: `demo --mesh ${mesh} --attach /apps --log /log/decisions.jsonl`,
    volumes: ["decisions:/log:ro"],
    after: [],
  };
}

/** It is the administrator of the last one too, and has the keys of the others' authorities, as one that has broken into them. */
function ofSeveral(mesh: MeshName, planes: readonly Plane[]): Way {
  const last = planes.at(-1)?.prefix ?? "";
  const logs = planes.map(({ namespace }) => `--log /log/${namespace}/decisions.jsonl`);
  return {
    about: `  # It publishes as the administrator of ${planes.at(-1)?.trustDomain} does, on the authority's own host, and signs with the store's stolen keys.
`,
    network: `service:${last}authority`,
    command: [">-", `demo --mesh ${mesh} --attach /apps --authorities /authorities`, logs.join(" ")].join("\n      "),
    volumes: planes.flatMap(({ prefix, namespace }) => [
      `${prefix}decisions:/log/${namespace}:ro`,
      `${prefix}authority-state:/authorities/${namespace}:ro`,
    ]),
    after: planes.map(({ prefix }) => `${prefix}bundle`),
  };
}
