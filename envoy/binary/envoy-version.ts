import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { EnvoyError } from "../envoy-error.ts";
import { processEnvironment } from "./process-environment.ts";
import { type EnvoyVersion, parseEnvoyVersion } from "./version.ts";

const run = promisify(execFile);

/** Asks a binary for its version. Throws `ERR_ENVOY_BINARY` where it does not run, `ERR_ENVOY_VERSION` where it prints none. */
export async function envoyVersion(path: string): Promise<EnvoyVersion> {
  const { stdout } = await run(path, ["--version"], { timeout: 20_000, env: processEnvironment() }).catch((cause) => {
    throw new EnvoyError("ERR_ENVOY_BINARY", `\`${path}\` does not run: ${firstLine(cause)}`, {
      hint: "the file must be an Envoy binary for this operating system and processor",
      cause,
    });
  });
  return parseEnvoyVersion(stdout);
}

function firstLine(cause: unknown): string {
  const text = cause instanceof Error ? cause.message : String(cause);
  return text.split("\n").filter(Boolean).slice(0, 2).join(" ").slice(0, 300);
}
