import { renameSync, statSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { type EnvoyVersion, WITHHELD_HEADERS } from "../../envoy/index.ts";
import type { EnvoyFinding, PatchTarget } from "../../envoy/lint/index.ts";
import { type Patched, patchConfig } from "../../envoy/patch/index.ts";
import { socketPaths } from "../../ext-authz/index.ts";
import { formatFindings, type PolicySet } from "../../policies/index.ts";
import { readGoodSet } from "../check/read-good-set.ts";
import { CliError, EXIT, type ExitCode, systemReason } from "../cli-error.ts";
import type { StateOptions } from "../command.ts";
import { findWorkload, fullName } from "../explain/find-workload.ts";
import type { Io } from "../io.ts";
import { count, lines, paint } from "../screen.ts";
import { stateFolder } from "../state-folder.ts";
import { unifiedDiff } from "../unified-diff.ts";
import { findEnvoy } from "./locate.ts";
import { readConfig } from "./read-config.ts";
import { versionOption } from "./version-option.ts";

/** Options of `cellwall envoy patch`. */
export interface EnvoyPatchOptions extends StateOptions {
  readonly workload: string;
  readonly write?: boolean;
  readonly check?: boolean;
  readonly mtls?: boolean;
  readonly envoy?: string;
  readonly envoyVersion?: string;
  readonly runDir?: string;
}

/** Shows or writes what makes a user's own configuration a workload's sidecar; findings where errors are left that only the user can mend. */
export async function patchEnvoy(
  file: string,
  folders: readonly string[],
  options: EnvoyPatchOptions,
  io: Io,
): Promise<ExitCode> {
  if (file === "-" || /^(?:https?:\/\/|unix:)/.test(file))
    throw new CliError("ERR_CLI_USAGE", `\`${file}\` is no file that can be patched`, {
      hint: "name the bootstrap that Envoy is started with",
    });
  const source = await readConfig(file, io);
  const set = readGoodSet(folders, io);
  const target = targetOf(set, options, await versionOf(options, io), io);
  const patched = patchConfig(source, target);
  lines(io.stdout, ...unifiedDiff(file, source.text, patched.text, io.stdout));
  if (options.write === true && patched.text !== source.text) writeInPlace(file, patched.text, io);
  report(file, patched, options, io);
  if (options.check === true && patched.text !== source.text) return EXIT.findings;
  return patched.left.some(({ severity }) => severity === "error") ? EXIT.findings : EXIT.ok;
}

async function versionOf({ envoyVersion, envoy }: EnvoyPatchOptions, io: Io): Promise<EnvoyVersion> {
  return envoyVersion === undefined ? (await findEnvoy(envoy, io)).version : versionOption(envoyVersion);
}

function targetOf(set: PolicySet, options: EnvoyPatchOptions, envoyVersion: EnvoyVersion, io: Io): PatchTarget {
  const workload = findWorkload(options.workload, set);
  const runDir =
    options.runDir === undefined ? stateFolder(options.state, io.cwd).run : resolve(io.cwd, options.runDir);
  const { authz, envoy } = socketPaths(runDir, workload);
  const { keepOverrideHeaders = [], checkHeaders = [] } = workload.sidecar ?? {};
  return {
    workload: fullName(workload),
    mesh: set.mesh,
    sockets: { authz, envoy },
    envoyVersion,
    mtls: options.mtls === true,
    keepOverrideHeaders,
    withheld: WITHHELD_HEADERS.filter((name) => !checkHeaders.includes(name)),
  };
}

/** At once, so that an Envoy that starts meanwhile reads the one or the other. */
function writeInPlace(file: string, text: string, io: Io): void {
  const path = resolve(io.cwd, file);
  const draft = `${path}.${process.pid}.new`;
  try {
    writeFileSync(draft, text, { mode: statSync(path).mode & 0o777, flag: "wx" });
    renameSync(draft, path);
  } catch (error) {
    throw new CliError("ERR_CLI_FILE", `cannot write \`${file}\`: ${systemReason(error) ?? "unwritable"}`, {
      cause: error,
    });
  }
}

function report(file: string, { text, mended, left }: Patched, options: EnvoyPatchOptions, io: Io): void {
  const grave = left.filter(({ severity }) => severity !== "note");
  const output = io.stderr;
  if (grave.length > 0) {
    const files = [{ path: file, text }];
    lines(output, "", formatFindings(grave, { files, color: output.color }).trimEnd(), "");
  }
  const after = grave.length === 0 ? "" : `, ${count(grave.length, "finding")} left to you`;
  if (mended.length === 0)
    lines(output, `${paint(output, "green", "ok")}: \`${file}\` is a sidecar of ${options.workload} already${after}`);
  else if (options.write === true)
    lines(output, `${paint(output, "green", "written")}: ${file}, ${mendedText(mended)}${after}`);
  else lines(output, `${count(mended.length, "finding")} would be mended${after}; --write writes ${file}`);
}

function mendedText(mended: readonly EnvoyFinding[]): string {
  return `${count(mended.length, "finding")} mended`;
}
