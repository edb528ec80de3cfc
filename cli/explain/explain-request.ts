import { explain, formatExplanation } from "../../policies/index.ts";
import { readGoodSet } from "../check/read-good-set.ts";
import { EXIT, type ExitCode } from "../cli-error.ts";
import type { ExplainOptions } from "../commands/explain.ts";
import type { Io } from "../io.ts";
import { DEFAULT_POLICY_FOLDER } from "../policy-folder.ts";
import { json, lines } from "../screen.ts";
import { buildAttributes } from "./build-attributes.ts";

/** Prints what the request gets and why. A denial is an answer, not a finding: both end with 0. */
export function explainRequest(request: string, options: ExplainOptions, io: Io): ExitCode {
  const set = readGoodSet(options.policies.length === 0 ? [DEFAULT_POLICY_FOLDER] : options.policies, io);
  const explanation = explain(set, buildAttributes(request, options, { set, now: io.clock() }));
  if (options.output === "json") json(io.stdout, explanation);
  else lines(io.stdout, formatExplanation(explanation).trimEnd());
  return EXIT.ok;
}
