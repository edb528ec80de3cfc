import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, relative } from "node:path";
import { type AppProcess, shopPolicyFiles, startApp } from "../../compose/index.ts";
import { formatEnvoyVersion, type LocatedEnvoy, locateEnvoy } from "../../envoy/index.ts";
import { EXIT, type ExitCode } from "../cli-error.ts";
import { type Io, stopRequested } from "../io.ts";
import { type LocalMesh, startLocalMesh } from "../local-mesh/index.ts";
import { lines, paint } from "../screen.ts";
import { Undo } from "../up/undo.ts";
import { followLive } from "./live.ts";
import { printHeading, printTable } from "./report.ts";
import { playScenario } from "./scenario.ts";
import type { Stage } from "./step.ts";

/** How to run the demo mesh. */
export interface DemoOptions {
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
    const stage = await startStage(folder, envoy, cleanup);
    printStart(stage, envoy, performance.now() - started, io);
    const rows = await playScenario(stage, io.stdout, io.signal);
    if (io.signal.aborted) return EXIT.ok;
    printTable(io.stdout, rows);
    if (!options.once) await stayUp(stage, io);
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

async function startStage(folder: string, envoy: LocatedEnvoy, cleanup: Undo): Promise<Stage> {
  const files = shopPolicyFiles().map(({ path, text }) => ({ path: basename(path), text }));
  const mesh = await startLocalMesh({ files, folder, envoy });
  cleanup.add(() => mesh.stop());
  const apps = new Map<string, AppProcess>();
  cleanup.add(async () => {
    await Promise.all([...apps.values()].map((app) => app.stop()));
  });
  const sidecars = mesh.startSidecars();
  const starting = await Promise.allSettled([
    sidecars,
    ...mesh.set.workloads.map(async ({ name }) => {
      apps.set(name, await startApp(appOptions(mesh, name)));
    }),
  ]);
  const failed = starting.find((one) => one.status === "rejected");
  if (failed?.status === "rejected") throw failed.reason;
  return { mesh, apps };
}

function appOptions(mesh: LocalMesh, name: string): Parameters<typeof startApp>[0] {
  const port = mesh.set.workloads.find((workload) => workload.name === name)?.sidecar?.listens[0]?.port ?? 0;
  const database = name === "orders" ? { database: mesh.callSocket("orders", "db") } : {};
  return { name, listen: mesh.appSocket(name, port), ...database };
}

function printStart(stage: Stage, envoy: LocatedEnvoy, tookMs: number, io: Io): void {
  const names = stage.mesh.set.workloads.map((workload) => workload.name);
  lines(
    io.stdout,
    paint(io.stdout, "bold", "Cellwall demo mesh"),
    `  ${names.length} workloads (${names.join(", ")}), each behind its own Envoy ${formatEnvoyVersion(envoy.version)}; up after ${(tookMs / 1000).toFixed(1)} s`,
    "  web -> orders -> db may talk; intruder is a workload that someone has taken over",
    `  policies  ${stage.mesh.policyDir}`,
    `  state     ${stage.mesh.stateDir}`,
  );
}

/** How to call this program again from here. */
function ownCommand(cwd: string): string {
  const script = process.argv[1];
  if (script === undefined) return "cellwall";
  const short = relative(cwd, script);
  return `node ${short.startsWith("..") ? script : short}`;
}

async function stayUp(stage: Stage, io: Io): Promise<void> {
  printHeading(io.stdout, "The mesh stays up. In another terminal:");
  const command = ownCommand(io.cwd);
  lines(
    io.stdout,
    `  ${command} status --state ${stage.mesh.stateDir}`,
    `  ${command} explain --from intruder --to orders "GET /orders/42" --policies ${stage.mesh.policyDir}`,
    `  ${command} ca revoke --identity spiffe://shop.example/shop/web --reason drill --state ${stage.mesh.stateDir}`,
    `  or edit ${join(stage.mesh.policyDir, "access.yaml")} and watch`,
  );
  printHeading(io.stdout, "Live decisions (Ctrl-C ends everything)");
  const stop = followLive(stage, io.stdout);
  await stopRequested(io.signal);
  stop();
  lines(io.stdout, "", "stopping");
}
