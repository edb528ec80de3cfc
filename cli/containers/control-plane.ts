/** The services and volumes of one trust domain's authority and agent. */
export interface Plane {
  /** Before each of their names: empty where the mesh is one trust domain. */
  readonly prefix: string;
  /** Folder of its documents, from where the compose file is. */
  readonly folder: string;
  readonly namespace: string;
  readonly trustDomain: string;
  /** Trust domains that it is federated with. */
  readonly partners: readonly string[];
}

/** Authority, joining, agent and the sidecars' configuration; between federated trust domains, the handing over of bundles too. */
export function controlPlane(
  plane: Plane,
  options: { readonly envoyVersion: string; readonly agentMounts: readonly string[] },
): string {
  return [
    authority(plane),
    join(plane),
    ...(plane.partners.length === 0 ? [] : [bundle(plane)]),
    agent(plane, options.agentMounts),
    envoyConfig(plane, options.envoyVersion),
  ].join("\n");
}

function authority({ prefix, folder, partners }: Plane): string {
  const federated = partners.length > 0;
  return `  # Issues the identities and signs the policies.
  ${prefix}authority:
    <<: *cellwall
    # \`node\`, a user of the image, whose home gives a new volume its owner.
    user: "1000:1000"
    command: >-
      authority --listen 0.0.0.0:7443 --name ${prefix}authority --state /home/node/cellwall
      --policies /mesh/policies --policies /mesh/containers
    networks: [${prefix}control${federated ? ", border" : ""}]
    volumes:
      - *package
      - ${folder}/policies:/mesh/policies:ro
      - ${folder}/containers:/mesh/containers:ro
      - ${prefix}authority-state:/home/node
${federated ? "      - bundles:/partners:ro\n" : ""}    healthcheck:
      <<: *seldom
      test:
        - CMD
        - node
        - --eval
        - >-
          require("node:https").get({ port: 7443, path: "/readyz", rejectUnauthorized: false },
          (answer) => process.exit(answer.statusCode === 200 ? 0 : 1)).on("error", () => process.exit(1))
`;
}

function join({ prefix }: Plane): string {
  return once(prefix, {
    about: "Makes the token with which the agent joins: single use, 15 minutes, only from the authority's own host.",
    name: "join",
    script: [
      "umask 077 && node /opt/cellwall/dist/cli/main.js ca token compose --state /state/cellwall > /home/node/token",
    ],
    output: `${prefix}join-token`,
  });
}

function bundle({ prefix, trustDomain, partners }: Plane): string {
  const unfinished = `/home/node/new.${prefix}bundle`;
  return once(prefix, {
    about: `Hands ${partners.join(", ")} the trust bundle to begin with. From then on each side asks the other's bundle endpoint.`,
    name: "bundle",
    script: [
      `node /opt/cellwall/dist/cli/main.js federation bundle --state /state/cellwall > ${unfinished}`,
      `&& mv ${unfinished} /home/node/${trustDomain}.json`,
    ],
    output: "bundles",
  });
}

/** What an administrator does once, on the authority's own host; the file that it makes goes into the volume `output`. */
function once(
  prefix: string,
  task: { readonly about: string; readonly name: string; readonly script: readonly string[]; readonly output: string },
): string {
  return `  # ${task.about}
  ${prefix}${task.name}:
    <<: *cellwall
    restart: "no"
    user: "1000:1000"
    network_mode: service:${prefix}authority
    entrypoint: [sh, -c]
    command:
      - >-
        ${task.script.join("\n        ")}
    volumes:
      - *package
      - ${prefix}authority-state:/state:ro
      - ${task.output}:/home/node
    depends_on: { ${prefix}authority: *healthy }
`;
}

function agent({ prefix }: Plane, mounts: readonly string[]): string {
  return `  # Decides for all sidecars of this host, and gives them their identities. Root with three capabilities, so as to give each workload's
  # sockets to the user of that workload.
  ${prefix}agent:
    <<: *cellwall
    user: "0:0"
    cap_add: [CHOWN, DAC_OVERRIDE, FOWNER]
    command: >-
      agent --authority https://${prefix}authority:7443 --join-token-file /join/token --state /var/lib/cellwall
      --run-dir /run/cellwall --decisions
    networks: [${prefix}control]
    tmpfs: [/run/cellwall]
    volumes:
      - *package
      - ${prefix}join-token:/join:ro
      - ${prefix}agent-state:/var/lib/cellwall
      - ${prefix}decisions:/var/lib/cellwall/log
${mounts.map((mount) => `      - ${mount}`).join("\n")}
    depends_on: { ${prefix}join: *done }
    healthcheck:
      <<: *seldom
      test:
        - CMD
        - node
        - --eval
        - >-
          fetch("http://127.0.0.1:9464/readyz").then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))
`;
}

function envoyConfig({ prefix, folder }: Plane, envoyVersion: string): string {
  return `  # Writes each sidecar's configuration, readable by its user alone. Nothing in it is secret.
  ${prefix}envoy-config:
    <<: *cellwall
    restart: "no"
    user: "0:0"
    cap_add: [CHOWN]
    network_mode: none
    command: >-
      envoy render /mesh/policies /mesh/containers --out /etc/cellwall --run-dir /run/cellwall
      --envoy-version ${envoyVersion}
    volumes:
      - *package
      - ${folder}/policies:/mesh/policies:ro
      - ${folder}/containers:/mesh/containers:ro
      - ${prefix}envoy-config:/etc/cellwall
`;
}
