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
# Each look of these starts a Node.js.
x-seldom: &seldom { interval: 3s, timeout: 10s, retries: 40 }
x-started: &started { condition: service_started }
x-healthy: &healthy { condition: service_healthy }
x-done: &done { condition: service_completed_successfully }
`;
