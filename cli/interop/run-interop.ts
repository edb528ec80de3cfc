import { InteropError } from "../../policies/interop/index.ts";
import { CliError } from "../cli-error.ts";

/** Runs an import or export; what the source does wrong becomes `ERR_CLI_POLICIES`, an unknown format `ERR_CLI_USAGE`. */
export function runInterop<T>(run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof InteropError)) throw error;
    const code = error.code === "ERR_POLICY_INTEROP_FORMAT" ? "ERR_CLI_USAGE" : "ERR_CLI_POLICIES";
    throw new CliError(code, error.message, {
      cause: error,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    });
  }
}
