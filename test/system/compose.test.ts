import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ENVOY_IMAGE, NODE_IMAGE } from "../../cli/containers/images.ts";
import type { MeshName } from "../../compose/index.ts";
import { atDepth } from "../support/depth.ts";
import { type DockerEngine, noDockerReason, startDockerEngine } from "../support/docker-engine.ts";
import { freePort } from "../support/free-ports.ts";
import { repositoryPath, runCommand } from "../support/processes.ts";
import { recordResult } from "../support/record-result.ts";
import { provideImages } from "../support/stand-in-images.ts";
import { until } from "../support/until.ts";

const MINUTES = 60_000;
/** Steps of each scenario, and of a few what they must have come to. */
const EXPECTED: Readonly<Record<MeshName, { readonly steps: number; readonly rows: readonly RegExp[] }>> = {
  shop: {
    steps: 26,
    rows: [
      /web +GET \/orders\/42 at orders, which asks db +200 +allowed-by-rule/,
      /intruder +GET \/orders\/42 at orders: the wrong identity +403 +no-rule-matched/,
      /intruder +a query at db, over TCP +closed, 0 bytes +no-rule-matched/,
      /orders on the network.* +open: 8443 /,
      /orders' Workload API socket, to become orders +no way /,
      /the authority's API, on the network +no way /,
    ],
  },
  boutique: {
    steps: 31,
    rows: [
      /the twenty pairs, and no other +20 pairs/,
      /PaymentService\/Charge at paymentservice +grpc 7 +no-rule-matched/,
    ],
  },
  federated: {
    steps: 28,
    rows: [
      /checkout +POST \/charges at gateway, of pay\.example +200 +allowed-by-rule/,
      /helpdesk +POST \/charges at gateway: the wrong identity of the store +403 +no-rule-matched/,
      /one that says gateway, of the store's authority, at ledger +TLS refused +untrusted-certificate/,
      /gateway's Workload API socket, to become gateway +no way /,
      /pay-authority's API, on the network +no way /,
      /take partners\.yaml from pay\.example.* +403 after \d+ ms +untrusted-domain/,
    ],
  },
};

/** As a user has them: the one finds the other by its name, over HTTP. */
const OWN_SERVICES = `services:
  web:
    image: ${NODE_IMAGE}
    environment:
      ORDERS_URL: http://orders:3000/orders/42
    command: [node, --eval, 'setInterval(() => fetch(process.env.ORDERS_URL).then((r) => console.log("got", r.status), () => {}), 500)']
  orders:
    image: ${NODE_IMAGE}
    command: [node, --eval, 'require("http").createServer((_, answer) => answer.end("an order")).listen(3000)']
`;
const WATCHED = [/web.*got 200/, /allow \S+\/web -> \S+\/orders GET \/orders\/42 · allowed-by-rule/];

const missing = noDockerReason();
describe.skipIf(missing !== undefined)(
  `the meshes in containers${missing === undefined ? "" : ` (not here: ${missing})`}`,
  () => {
    let engine: DockerEngine;
    let images = "";
    /** Steps that went as they should, and seconds from nothing to the attack's end, by mesh. */
    const figures: Record<string, { readonly steps: number; readonly seconds: number }> = {};
    beforeAll(async () => {
      engine = await startDockerEngine();
      images = await provideImages(engine, { node: NODE_IMAGE, envoy: ENVOY_IMAGE });
      process.stdout.write(`images: ${images}\n`);
    }, 10 * MINUTES);
    afterAll(async () => {
      if (Object.keys(figures).length === Object.keys(EXPECTED).length)
        recordResult("compose-meshes", { images, meshes: figures });
      await engine?.stop();
    }, MINUTES);

    it.each(atDepth<readonly MeshName[]>({ quick: ["shop"], full: ["shop", "boutique", "federated"] }))(
      "the %s comes up, is attacked in vain, goes down and leaves nothing",
      async (mesh) => {
        const options = { cwd: repositoryPath("compose", mesh), env: { FRONT_PORT: String(await freePort()) } };
        const compose = (...args: readonly string[]) =>
          engine.compose(["--project-name", `cellwall-${mesh}`, ...args], options);
        const started = performance.now();
        try {
          const up = await compose("up", "--detach");
          expect(up.code, up.output).toBe(0);
          const attack = await compose("--profile", "attack", "run", "--rm", "attack");
          const logs = attack.code === 0 ? "" : (await compose("logs", "--no-color", "--tail=40")).output;
          expect(attack.code, `${logs}\n${attack.output}`).toBe(0);
          const { steps, rows } = EXPECTED[mesh];
          expect(attack.output).toContain(`${steps} as expected, 0 otherwise`);
          for (const row of rows) expect(attack.output).toMatch(row);
          figures[mesh] = { steps, seconds: Math.round((performance.now() - started) / 1000) };
        } finally {
          await compose("--profile", "attack", "down", "--volumes", "--timeout", "3");
        }
        const named = ["--all", "--quiet", "--filter", `label=com.docker.compose.project=cellwall-${mesh}`];
        expect(await engine.docker("ps", ...named)).toBe("");
        expect(await engine.docker("volume", "ls", "--quiet", "--filter", `name=cellwall-${mesh}`)).toBe("");
      },
      6 * MINUTES,
    );

    it(
      "a user's own services are watched after `cellwall init --from`",
      async () => {
        const folder = mkdtempSync(join(tmpdir(), "cw-"));
        const compose = (...args: readonly string[]) =>
          engine.compose(["--project-name", "cellwall-own", ...args], { cwd: folder });
        try {
          writeFileSync(join(folder, "compose.yaml"), OWN_SERVICES);
          const init = await runCommand(["init", "--from", "compose.yaml", "--write"], { cwd: folder });
          expect(init.code, init.output).toBe(0);
          const up = await compose("up", "--detach");
          expect(up.code, up.output).toBe(0);
          await until(
            async () => (await compose("logs", "--no-color")).output,
            (output) => WATCHED.every((line) => line.test(output)),
            { deadlineMs: MINUTES, what: "a decision on a call of the user's own" },
          );
        } finally {
          await compose("down", "--volumes", "--timeout", "1");
          rmSync(folder, { recursive: true, force: true });
        }
      },
      3 * MINUTES,
    );
  },
);
