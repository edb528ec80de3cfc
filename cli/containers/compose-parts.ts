/** What the services of a demo mesh have in common, as anchors. */
export const COMMON = (nodeImage: string, envoyImage: string): string => `x-package: &package ../..:/opt/cellwall:ro

x-locked-down: &locked-down
  read_only: true
  cap_drop: [ALL]
  security_opt: ["no-new-privileges:true"]
  restart: on-failure

x-cellwall: &cellwall
  <<: *locked-down
  image: ${nodeImage}
  entrypoint: [node, /opt/cellwall/dist/cli/main.js]

x-app: &app
  <<: *locked-down
  image: ${nodeImage}
  entrypoint: [node, /opt/cellwall/dist/compose/app/main.js]

x-sidecar: &sidecar
  <<: *locked-down
  image: ${envoyImage}

x-often: &often { interval: 1s, timeout: 5s, retries: 60 }
x-started: &started { condition: service_started }
x-healthy: &healthy { condition: service_healthy }
x-done: &done { condition: service_completed_successfully }
`;

/** Authority, joining, agent and the sidecars' configuration. */
export const CONTROL_PLANE = (options: {
  readonly envoyVersion: string;
  readonly agentMounts: readonly string[];
}): string => `  # Issues the identities and signs the policies.
  authority:
    <<: *cellwall
    # \`node\`, a user of the image, whose home gives a new volume its owner.
    user: "1000:1000"
    command: >-
      authority --listen 0.0.0.0:7443 --name authority --state /home/node/cellwall
      --policies /mesh/policies --policies /mesh/containers
    networks: [control]
    volumes:
      - *package
      - ./policies:/mesh/policies:ro
      - ./containers:/mesh/containers:ro
      - authority-state:/home/node
    healthcheck:
      <<: *often
      test:
        - CMD
        - node
        - --eval
        - >-
          require("node:https").get({ port: 7443, path: "/readyz", rejectUnauthorized: false },
          (answer) => process.exit(answer.statusCode === 200 ? 0 : 1)).on("error", () => process.exit(1))

  # Makes the token with which the agent joins: single use, 15 minutes, only from the authority's own host.
  join:
    <<: *cellwall
    restart: "no"
    user: "1000:1000"
    network_mode: service:authority
    entrypoint: [sh, -c]
    command:
      - umask 077 && node /opt/cellwall/dist/cli/main.js ca token compose --state /state/cellwall > /home/node/token
    volumes:
      - *package
      - authority-state:/state:ro
      - join-token:/home/node
    depends_on: { authority: *healthy }

  # Decides for all sidecars of this host, and gives them their identities. Root with three capabilities, so as to give each workload's
  # sockets to the user of that workload.
  agent:
    <<: *cellwall
    user: "0:0"
    cap_add: [CHOWN, DAC_OVERRIDE, FOWNER]
    command: >-
      agent --authority https://authority:7443 --join-token-file /join/token --state /var/lib/cellwall
      --run-dir /run/cellwall --decisions
    networks: [control]
    tmpfs: [/run/cellwall]
    volumes:
      - *package
      - join-token:/join:ro
      - agent-state:/var/lib/cellwall
      - decisions:/var/lib/cellwall/log
${options.agentMounts.map((mount) => `      - ${mount}`).join("\n")}
    depends_on: { join: *done }
    healthcheck:
      <<: *often
      test:
        - CMD
        - node
        - --eval
        - >-
          fetch("http://127.0.0.1:9464/readyz").then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))

  # Writes each sidecar's configuration, readable by its user alone. Nothing in it is secret.
  envoy-config:
    <<: *cellwall
    restart: "no"
    user: "0:0"
    cap_add: [CHOWN]
    network_mode: none
    command: >-
      envoy render /mesh/policies /mesh/containers --out /etc/cellwall --run-dir /run/cellwall
      --envoy-version ${options.envoyVersion}
    volumes:
      - *package
      - ./policies:/mesh/policies:ro
      - ./containers:/mesh/containers:ro
      - envoy-config:/etc/cellwall
`;
