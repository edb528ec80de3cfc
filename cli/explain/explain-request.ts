import { explain, formatDiagnostics, formatExplanation } from "../../policies/index.ts";
import { errorsOf, readSet } from "../check/check.ts";
import { CliError, EXIT, type ExitCode } from "../cli-error.ts";
import type { ExplainOptions } from "../commands/explain.ts";
import type { Io } from "../io.ts";
import { DEFAULT_POLICY_FOLDER, readPolicyFolders } from "../policy-folder.ts";
import { count, json, lines } from "../screen.ts";
import { buildAttributes } from "./build-attributes.ts";

/** Prints what the request gets and why. A denial is an answer, not a finding: both end with 0. */
export function explainRequest(request: string, options: ExplainOptions, io: Io): ExitCode {
  const folders = options.policies.length === 0 ? [DEFAULT_POLICY_FOLDER] : options.policies;
  const files = readPolicyFolders(folders, io.cwd);
  const set = readSet(files);
  const errors = errorsOf(set.diagnostics);
  if (errors > 0) {
    const found = set.diagnostics.filter((each) => each.severity === "error");
    lines(io.stderr, formatDiagnostics(found, { files, color: io.stderr.color }).trimEnd(), "");
    throw new CliError("ERR_CLI_POLICIES", `the set has ${count(errors, "error")}, so nothing can be decided by it`, {
      hint: "mend what `cellwall check` says first",
    });
  }
  const explanation = explain(set, buildAttributes(request, options, { set, now: io.clock() }));
  if (options.output === "json") json(io.stdout, explanation);
  else lines(io.stdout, formatExplanation(explanation, { color: io.stdout.color }).trimEnd());
  return EXIT.ok;
}
