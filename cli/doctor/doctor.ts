import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { PINNED_VERSION, renderSidecar } from "../../envoy/index.ts";
import { appEndpoints, behaviours, type ConfigSource, lintConfig, readSource } from "../../envoy/lint/index.ts";
import { socketPaths } from "../../ext-authz/index.ts";
import { countFindings, type PolicySet, type Workload } from "../../policies/index.ts";
import { readGoodSet } from "../check/read-good-set.ts";
import { CliError, EXIT, type ExitCode } from "../cli-error.ts";
import type { OutputOptions, StateOptions } from "../command.ts";
import { readConfig } from "../envoy/read-config.ts";
import { findWorkload, fullName } from "../explain/find-workload.ts";
import type { Io } from "../io.ts";
import { count } from "../screen.ts";
import { readAdminAccess, stateFolder } from "../state-folder.ts";
import { isolationVerdict } from "./isolation-verdict.ts";
import { type Listening, parseListening } from "./listening.ts";
import { lookAtAgent } from "./look-at-agent.ts";
import { lookAtApp } from "./look-at-apps.ts";
import { lookAtClock } from "./look-at-clock.ts";
import { type EnvoyLook, lookAtEnvoy } from "./look-at-envoy.ts";
import { lookAtSocket } from "./look-at-sockets.ts";
import { printDoctor, type SidecarBehaviour } from "./print-doctor.ts";
import { seenRefusals } from "./seen-refusals.ts";
import type { Verdict } from "./verdict.ts";

/** Options of `cellwall doctor`. */
export interface DoctorOptions extends StateOptions, OutputOptions {
  readonly workload?: string;
  readonly config?: string;
  readonly envoy?: string;
  readonly runDir?: string;
  readonly log: readonly string[];
}

/** Looks for what bypasses sidecars on this host and for what they refuse by themselves; findings where something is wrong. */
export async function doctor(folders: readonly string[], options: DoctorOptions, io: Io): Promise<ExitCode> {
  const set = readGoodSet(folders, io);
  const workloads = workloadsOf(set, options);
  const envoy = await lookAtEnvoy(options.envoy, io);
  const sidecars = await Promise.all(workloads.map((workload) => lookAtSidecar(workload, { set, envoy, options, io })));
  const clock = await lookAtClock(readAdminAccess(stateFolder(options.state, io.cwd)), io.clock);
  const verdicts = [
    ...envoy.verdicts,
    clock,
    ...isolationVerdict(workloads),
    ...unlookedAt(set, options),
    ...sidecars.flatMap((one) => one.verdicts),
  ];
  const names = new Set(workloads.map(fullName));
  const seen = await seenRefusals({ log: options.log, state: options.state, workloads: names }, io.cwd);
  printDoctor({ verdicts, behaviours: sidecars.flatMap((one) => one.behaviours), seen }, options.output, io);
  return verdicts.some(({ state }) => state === "error" || state === "warning") ? EXIT.findings : EXIT.ok;
}

/** The named one, else all with a sidecar: which of them run on this host only its agent knows. */
function workloadsOf(set: PolicySet, { workload, config }: DoctorOptions): readonly Workload[] {
  if (workload !== undefined) return [findWorkload(workload, set)];
  if (config === undefined) return set.workloads.filter(({ sidecar }) => sidecar !== undefined);
  if (set.workloads.length === 1) return set.workloads;
  throw new CliError("ERR_CLI_USAGE", "`--config` needs `--workload` where the set has several", {
    hint: "name the workload whose sidecar it is",
  });
}

/** Workloads whose Envoys are the users' own: only their agents know where those are. */
function unlookedAt({ workloads }: PolicySet, { workload, config }: DoctorOptions): readonly Verdict[] {
  const own = workloads.filter(({ sidecar }) => sidecar === undefined).map(fullName);
  if (workload !== undefined || config !== undefined || own.length === 0) return [];
  const message = `${count(own.length, "workload")} without a generated sidecar: ${some(own)}`;
  const remedy = "`--workload <name> --config <its Envoy's configuration>` looks at one";
  return [{ id: "sidecar", state: "skipped", subject: "set", message, remedy }];
}

const SOME = 5;

function some(names: readonly string[]): string {
  const more = names.length - SOME;
  return `${names.slice(0, SOME).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

interface Surroundings {
  readonly set: PolicySet;
  readonly envoy: EnvoyLook;
  readonly options: DoctorOptions;
  readonly io: Io;
}

interface SidecarLook {
  readonly verdicts: readonly Verdict[];
  readonly behaviours: readonly SidecarBehaviour[];
}

async function lookAtSidecar(workload: Workload, around: Surroundings): Promise<SidecarLook> {
  const subject = fullName(workload);
  const { options, io } = around;
  const runDir =
    options.runDir === undefined ? stateFolder(options.state, io.cwd).run : resolve(io.cwd, options.runDir);
  const sockets = socketPaths(runDir, workload);
  const agent = (await Promise.all([sockets.authz, sockets.envoy].map((path) => lookAtAgent(subject, path)))).flat();
  const adminSocket = join(runDir, `${workload.namespace}.${workload.name}.admin.sock`);
  const admin = existsSync(adminSocket) ? lookAtSocket(subject, "admin", adminSocket) : [];
  const source = await configOf(workload, { ...around, sockets, adminSocket });
  if (source === undefined) return { verdicts: [...agent, noConfig(subject)], behaviours: [] };
  const listening = listeningSockets();
  const apps = appEndpoints(source).flatMap((app) => lookAtApp(subject, app, listening));
  return {
    verdicts: [...apps, ...agent, ...admin, lintVerdict(subject, source, around)],
    behaviours: behaviours(source).map((one) => ({ ...one, workload: subject })),
  };
}

/** The user's own configuration where one is named, else the one that would be rendered. */
async function configOf(
  workload: Workload,
  {
    set,
    envoy,
    options,
    io,
    sockets,
    adminSocket,
  }: Surroundings & {
    readonly sockets: { readonly authz: string; readonly envoy: string };
    readonly adminSocket: string;
  },
): Promise<ConfigSource | undefined> {
  if (options.config !== undefined) return readConfig(options.config, io);
  if (workload.sidecar === undefined) return undefined;
  const bootstrap = renderSidecar({
    workload,
    set,
    envoyVersion: envoy.version ?? PINNED_VERSION,
    sockets,
    adminSocket,
  });
  return readSource(`sidecar of ${fullName(workload)}`, JSON.stringify(bootstrap));
}

function noConfig(subject: string): Verdict {
  const remedy = "name your Envoy's configuration with `--config`, or give the workload a `sidecar`";
  return {
    id: "sidecar",
    state: "skipped",
    subject,
    message: "the workload has no generated sidecar, so nothing is known of its app",
    remedy,
  };
}

function lintVerdict(subject: string, source: ConfigSource, { envoy: { version }, options }: Surroundings): Verdict {
  const findings = lintConfig(source, version === undefined ? {} : { envoyVersion: version });
  const { errors, warnings } = countFindings(findings);
  if (errors + warnings === 0)
    return { id: "sidecar", state: "ok", subject, message: "the sidecar's configuration has no known hole" };
  const parts = [
    ...(errors > 0 ? [count(errors, "error")] : []),
    ...(warnings > 0 ? [count(warnings, "warning")] : []),
  ];
  return {
    id: "sidecar",
    state: errors > 0 ? "error" : "warning",
    subject,
    message: `the configuration \`${source.file}\` has ${parts.join(" and ")}`,
    remedy: `\`${
      options.config === undefined
        ? `cellwall envoy render --workload ${subject} | cellwall envoy lint -`
        : `cellwall envoy lint ${options.config}`
    }\` shows them`,
  };
}

function listeningSockets(): readonly Listening[] | undefined {
  const tables = ["/proc/net/tcp", "/proc/net/tcp6"].filter((path) => existsSync(path));
  return tables.length === 0 ? undefined : tables.flatMap((path) => parseListening(readFileSync(path, "utf8")));
}
