import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import type { MeshName } from "../../compose/index.ts";
import { formatEnvoyVersion, type LocatedEnvoy, locateEnvoy } from "../../envoy/index.ts";
import { EXIT, type ExitCode } from "../cli-error.ts";
import { type Io, stopRequested } from "../io.ts";
import { lines, paint } from "../screen.ts";
import { Undo } from "../up/undo.ts";
import { followLive } from "./live.ts";
import { printHeading, printTable } from "./report.ts";
import { type RunningDemo, startDemo } from "./start-demo.ts";

/** What there is to tell of a mesh: who is who, a denied request to explain, an identity to revoke, a file to edit. */
interface Story {
  readonly story: string;
  readonly denied: string;
  readonly revocable: string;
  /** Of which of its trust domains. */
  readonly namespace: string;
  readonly edit: string;
}

const STORIES: Readonly<Record<MeshName, Story>> = {
  shop: {
    story: "web -> orders -> db may talk; intruder is a workload that someone has taken over",
    denied: '--from intruder --to orders "GET /orders/42"',
    revocable: "spiffe://shop.example/shop/web",
    namespace: "shop",
    edit: "access.yaml",
  },
  boutique: {
    story:
      "twenty calls over gRPC, from the frontend down to Redis; adservice is a workload that someone has taken over",
    denied: '--from adservice --to paymentservice "grpc hipstershop.PaymentService/Charge"',
    revocable: "spiffe://boutique.example/boutique/recommendationservice",
    namespace: "boutique",
    edit: "access.yaml",
  },
  federated: {
    story:
      "a store has its customers pay at a provider of another trust domain; helpdesk, of the store, is a workload that someone has taken over",
    denied: '--from spiffe://store.example/store/helpdesk --to gateway "POST /charges"',
    revocable: "spiffe://pay.example/pay/ledger",
    namespace: "pay",
    edit: "partners.yaml",
  },
};

/** How to run the demo mesh. */
export interface DemoOptions {
  readonly mesh: MeshName;
  /** End after the scenario instead of staying up. */
  readonly once: boolean;
  /** The Envoy binary to use; default: found, or fetched once. */
  readonly envoy?: string;
  /** Keep the mesh's folder, with its logs, when the demo ends. */
  readonly keep?: boolean;
}

/**
 * Runs the demo mesh: starts it, plays the scenario, prints the table, and stays up until asked to stop unless `once`.
 * Ends with `findings` where a step went otherwise than it should.
 */
export async function runDemo(options: DemoOptions, io: Io): Promise<ExitCode> {
  const started = performance.now();
  const envoy = await findEnvoy(options, io);
  const folder = mkdtempSync(join(tmpdir(), "cellwall-"));
  const cleanup = new Undo();
  if (options.keep !== true) cleanup.add(() => rmSync(folder, { recursive: true, force: true }));
  try {
    const demo = await startDemo(options.mesh, { folder, envoy, cleanup });
    printStart(options.mesh, demo, envoy, performance.now() - started, io);
    const rows = await demo.play(io.stdout, io.signal);
    if (io.signal.aborted) return EXIT.ok;
    printTable(io.stdout, rows);
    if (!options.once) await stayUp(options.mesh, demo, io);
    return rows.some((row) => row.finding.outcome === "unexpected") ? EXIT.findings : EXIT.ok;
  } finally {
    await cleanup.run();
    if (options.keep === true) lines(io.stdout, `\nkept: ${folder}`);
  }
}

function findEnvoy(options: DemoOptions, io: Io): Promise<LocatedEnvoy> {
  const say = (message: string): void => lines(io.stderr, message);
  return locateEnvoy({
    env: io.env,
    log: { info: say, warn: say },
    ...(options.envoy === undefined ? {} : { explicit: options.envoy }),
  });
}

function printStart(mesh: MeshName, { meshes }: RunningDemo, envoy: LocatedEnvoy, tookMs: number, io: Io): void {
  const names = meshes.flatMap(({ set }) => set.workloads.map((workload) => workload.name));
  lines(
    io.stdout,
    paint(io.stdout, "bold", "Cellwall demo mesh"),
    `  ${names.length} workloads (${names.join(", ")}), each behind its own Envoy ${formatEnvoyVersion(envoy.version)}; up after ${(tookMs / 1000).toFixed(1)} s`,
    `  ${STORIES[mesh].story}`,
    ...meshes.flatMap(({ trustDomain, policyDir, stateDir }) => {
      const places = [`policies  ${policyDir}`, `state     ${stateDir}`];
      return meshes.length === 1
        ? places.map((place) => `  ${place}`)
        : [`  ${trustDomain}`, ...places.map((place) => `    ${place}`)];
    }),
  );
}

/** How to call this program again from here. */
function ownCommand(cwd: string): string {
  const script = process.argv[1];
  if (script === undefined) return "cellwall";
  const short = relative(cwd, script);
  return `node ${short.startsWith("..") ? script : short}`;
}

async function stayUp(name: MeshName, demo: RunningDemo, io: Io): Promise<void> {
  printHeading(io.stdout, "The mesh stays up. In another terminal:");
  const command = ownCommand(io.cwd);
  const { denied, revocable, namespace, edit } = STORIES[name];
  const mesh = demo.meshes.find((each) => each.namespace === namespace);
  if (mesh === undefined) throw new TypeError(`the mesh has no namespace \`${namespace}\``);
  const federated = demo.meshes.length > 1 ? [`  ${command} federation status --state ${mesh.stateDir}`] : [];
  lines(
    io.stdout,
    `  ${command} status --state ${mesh.stateDir}`,
    ...federated,
    `  ${command} explain ${denied} --policies ${mesh.policyDir}`,
    `  ${command} ca revoke --identity ${revocable} --reason drill --state ${mesh.stateDir}`,
    `  or edit ${join(mesh.policyDir, edit)} and watch`,
  );
  printHeading(io.stdout, "Live decisions (Ctrl-C ends everything)");
  const stop = followLive(name, demo, io.stdout);
  await stopRequested(io.signal);
  stop();
  lines(io.stdout, "", "stopping");
}
