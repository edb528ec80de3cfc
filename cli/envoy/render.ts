import type { EnvoyVersion } from "../../envoy/index.ts";
import { readGoodSet } from "../check/read-good-set.ts";
import { CliError, EXIT, type ExitCode } from "../cli-error.ts";
import type { StateOptions } from "../command.ts";
import type { Io } from "../io.ts";
import { json } from "../screen.ts";
import { findEnvoy } from "./locate.ts";
import { renderOf } from "./sidecar.ts";
import { versionOption } from "./version-option.ts";
import { writeSidecars } from "./write-sidecars.ts";

/** Options of `cellwall envoy render`. */
export interface RenderCommandOptions extends StateOptions {
  readonly workload?: string;
  readonly out?: string;
  readonly envoy?: string;
  readonly envoyVersion?: string;
  readonly runDir?: string;
}

/** Prints a sidecar's bootstrap, or writes every sidecar's into a folder. */
export async function render(folders: readonly string[], options: RenderCommandOptions, io: Io): Promise<ExitCode> {
  const { workload, out } = options;
  if ((workload === undefined) === (out === undefined)) {
    throw new CliError("ERR_CLI_USAGE", "name one sidecar with `--workload`, or a folder for all of them with `--out`");
  }
  const set = readGoodSet(folders, io);
  const envoyVersion = await versionOf(options, io);
  if (out !== undefined) writeSidecars(set, { ...options, out, envoyVersion }, io);
  if (workload !== undefined) {
    json(io.stdout, renderOf(set, { ...options, workload }, { envoyVersion, cwd: io.cwd }).bootstrap);
  }
  return EXIT.ok;
}

async function versionOf({ envoyVersion, envoy }: RenderCommandOptions, io: Io): Promise<EnvoyVersion> {
  if (envoyVersion !== undefined) return versionOption(envoyVersion);
  return (await findEnvoy(envoy, io)).version;
}
