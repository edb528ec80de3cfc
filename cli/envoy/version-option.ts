import { type EnvoyVersion, parseEnvoyVersion } from "../../envoy/index.ts";
import { CliError } from "../cli-error.ts";

/** The version that `--envoy-version` names. Throws `ERR_CLI_USAGE` for what is none. */
export function versionOption(text: string): EnvoyVersion {
  try {
    return parseEnvoyVersion(text);
  } catch (cause) {
    throw new CliError("ERR_CLI_USAGE", `\`${text}\` is no version of Envoy`, {
      hint: "write it with its three numbers, such as `1.40.0`",
      cause,
    });
  }
}
