import { type EnvoyVersion, parseEnvoyVersion } from "../../envoy/index.ts";
import { readGoodSet } from "../check/read-good-set.ts";
import { EXIT, type ExitCode } from "../cli-error.ts";
import type { RenderCommandOptions } from "../commands/envoy.ts";
import type { Io } from "../io.ts";
import { json } from "../screen.ts";
import { findEnvoy } from "./locate.ts";
import { renderOf } from "./sidecar.ts";

/** Prints a sidecar's bootstrap. */
export async function render(folders: readonly string[], options: RenderCommandOptions, io: Io): Promise<ExitCode> {
  const set = readGoodSet(folders, io);
  const envoyVersion = await versionOf(options, io);
  json(io.stdout, renderOf(set, options, { envoyVersion, cwd: io.cwd }).bootstrap);
  return EXIT.ok;
}

async function versionOf({ envoyVersion, envoy }: RenderCommandOptions, io: Io): Promise<EnvoyVersion> {
  if (envoyVersion !== undefined) return parseEnvoyVersion(envoyVersion);
  return (await findEnvoy(envoy, io)).version;
}
