import { formatDiagnostics, type PolicySet } from "../../policies/index.ts";
import { CliError } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { readPolicyFolders } from "../policy-folder.ts";
import { count, lines } from "../screen.ts";
import { errorsOf, readSet } from "./check.ts";

/** A set without errors, of folders; prints the errors and throws `ERR_CLI_POLICIES` where there are some. */
export function readGoodSet(folders: readonly string[], io: Io): PolicySet {
  const files = readPolicyFolders(folders, io.cwd);
  const set = readSet(files);
  const errors = errorsOf(set.diagnostics);
  if (errors === 0) return set;
  const found = set.diagnostics.filter((each) => each.severity === "error");
  lines(io.stderr, formatDiagnostics(found, { files, color: io.stderr.color }).trimEnd(), "");
  throw new CliError("ERR_CLI_POLICIES", `the set has ${count(errors, "error")}`, {
    hint: "mend what `cellwall check` says first",
  });
}
