import { resolve } from "node:path";
import { formatDiagnostics } from "../../policies/index.ts";
import type { PublishResponse } from "../../protocol/index.ts";
import { readPassphrase } from "../ca/files.ts";
import { EXIT, type ExitCode } from "../cli-error.ts";
import type { StateOptions } from "../command.ts";
import { commandLog } from "../command-log.ts";
import { decisionLine } from "../decision-line.ts";
import { type Io, stopRequested } from "../io.ts";
import { packageVersion } from "../package-version.ts";
import { type PolicyText, readPolicyFolders } from "../policy-folder.ts";
import { answerLines } from "../publish/publish.ts";
import { readDiagnostics } from "../publish/read-diagnostics.ts";
import { readHostPort, readListenPort, readSeconds } from "../read-options.ts";
import { count, lines, paint } from "../screen.ts";
import { isolationNote, isolationOf } from "../status/isolation.ts";
import { type Mesh, type MeshOptions, startMesh } from "./start-mesh.ts";
import { watchFolders } from "./watch-folders.ts";

/** Options of `cellwall up`. */
export interface UpOptions extends StateOptions {
  readonly port?: string;
  readonly runDir?: string;
  readonly metrics?: string;
  readonly maxStale?: string;
  readonly keyPassphraseFile?: string;
  readonly svidLifetime?: string;
  readonly crl?: boolean;
  readonly decisions?: boolean;
  readonly verbose?: boolean;
}

const LOOK_EVERY_MS = 250;

/** Runs authority and agent until asked to stop, publishing each edit of the folders. */
export async function up(folders: readonly string[], options: UpOptions, io: Io): Promise<ExitCode> {
  const files = readPolicyFolders(folders, io.cwd);
  const mesh = await startMesh({
    ...meshOptions(options, io),
    files,
    onPublished: (answer) => printRefusal(answer, files, io),
  });
  const unwatch = watchFolders({
    folders,
    cwd: io.cwd,
    intervalMs: LOOK_EVERY_MS,
    changed: () => publishEdit(mesh, folders, io),
  });
  try {
    lines(io.stdout, ...startLines(mesh, folders, options, io));
    await stopRequested(io.signal);
    lines(io.stdout, "stopping");
  } finally {
    await unwatch();
    await mesh.stop();
  }
  return EXIT.ok;
}

function meshOptions(options: UpOptions, io: Io): Omit<MeshOptions, "files"> {
  return {
    stateDir: resolve(io.cwd, options.state),
    clock: io.clock,
    log: commandLog(io.stderr, { format: "text", quiet: options.verbose !== true, clock: io.clock }),
    ...(options.runDir === undefined ? {} : { runDir: resolve(io.cwd, options.runDir) }),
    ...(options.port === undefined ? {} : { port: readListenPort(options.port) }),
    ...(options.metrics === undefined ? {} : { metrics: readHostPort(options.metrics) }),
    ...(options.maxStale === undefined ? {} : { maxStaleMs: readSeconds(options.maxStale) * 1000 }),
    keyPassphrase: readPassphrase(options.keyPassphraseFile, io),
    revocationLists: options.crl,
    ...(options.svidLifetime === undefined ? {} : { lifetimes: { svidSeconds: readSeconds(options.svidLifetime) } }),
    ...(options.decisions === true
      ? { onDecision: (record) => lines(io.stdout, decisionLine(record, io.stdout)) }
      : {}),
  };
}

/** A broken edit, or none at all for a moment, keeps the last good revision in force. */
async function publishEdit(mesh: Mesh, folders: readonly string[], io: Io): Promise<void> {
  try {
    const files = readPolicyFolders(folders, io.cwd);
    const answer = await mesh.publish(files);
    if (printRefusal(answer, files, io)) return;
    if (answer.published || answer.pending !== undefined)
      lines(io.stdout, `${time(io)} ${answerLines(answer, false, io).join("\n")}`);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    lines(io.stderr, `${time(io)} ${paint(io.stderr, "red", "not published")}: ${message}; ${inForce(mesh)}`);
  }
}

function inForce(mesh: Pick<Mesh, "authority">): string {
  const { bundle } = mesh.authority.status();
  return bundle === undefined ? "nothing is in force" : `revision ${bundle.epoch}.${bundle.revision} stays in force`;
}

/** Prints why a set was refused; whether it was. */
function printRefusal(answer: PublishResponse, files: readonly PolicyText[], io: Io): boolean {
  const errors = readDiagnostics(answer.diagnostics).filter((each) => each.severity === "error");
  if (errors.length === 0) return false;
  lines(io.stderr, formatDiagnostics(errors, { files, color: io.stderr.color }).trimEnd());
  const stays =
    answer.revision === 0 ? "nothing is in force yet" : `revision ${answer.epoch}.${answer.revision} stays in force`;
  lines(io.stderr, `${time(io)} ${paint(io.stderr, "red", "refused")}: ${count(errors.length, "error")}; ${stays}`);
  return true;
}

function time(io: Io): string {
  return io.clock().toISOString().slice(11, 19);
}

function startLines(mesh: Mesh, folders: readonly string[], options: UpOptions, io: Io): readonly string[] {
  const { bundle, workloads = [], trustDomain } = mesh.authority.status();
  const isolation = isolationOf(workloads);
  const state = options.state === ".cellwall" ? "" : ` --state ${options.state}`;
  const revision = bundle === undefined ? "none" : `${bundle.epoch}.${bundle.revision}`;
  const { metricsUrl } = mesh.agent;
  return [
    `${paint(io.stdout, "bold", `cellwall ${packageVersion()}`)}: mesh ${trustDomain} is up`,
    `  authority  ${mesh.url}, state in ${options.state}`,
    `  bundle     ${revision}: ${count(workloads.length, "workload")}, ${count(bundle?.policies ?? 0, "policy", "policies")}`,
    `  agent      serves ${count(mesh.agent.status().workloads.length, "workload")}${metricsUrl === undefined ? "" : `, metrics at ${metricsUrl}`}`,
    `  isolation  ${isolation}: ${isolationNote(isolation)}`,
    `  watching   ${folders.join(", ")}: edits take effect without a restart; Ctrl-C stops`,
    "Next, in another terminal:",
    `  cellwall status${state}`,
    ...firstSidecar(mesh, folders, state),
  ];
}

function firstSidecar(mesh: Mesh, folders: readonly string[], state: string): readonly string[] {
  const { workloads = [] } = mesh.authority.status();
  const named = folders.length === 1 && folders[0] === "policies" ? "" : ` ${folders.join(" ")}`;
  const first = workloads.find(({ sidecar }) => sidecar === true);
  if (first !== undefined) return [`  cellwall envoy run --workload ${first.namespace}/${first.name}${named}${state}`];
  return workloads
    .slice(0, 1)
    .map(({ namespace, name }) => `  cellwall envoy patch envoy.yaml --workload ${namespace}/${name}${named}${state}`);
}
