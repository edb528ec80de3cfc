import { type Explanation, explain, formatExplanation } from "../../policies/index.ts";
import { CliError, EXIT, type ExitCode } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { readPolicySet } from "../policy-set.ts";
import { json, lines } from "../screen.ts";
import { buildAttributes } from "./build-attributes.ts";
import { explainDecision } from "./explain-decision.ts";
import type { ExplainOptions } from "./options.ts";
import { sourcesOf } from "./sources-of.ts";

/** Prints what a request gets and why, or a decision of the log. A denial is an answer, not a finding: both end with 0. */
export async function explainRequest(request: string | undefined, options: ExplainOptions, io: Io): Promise<ExitCode> {
  if (options.decision !== undefined) return explainDecision(options.decision, request, options, io);
  const { from, to } = options;
  if (request === undefined || from === undefined || to === undefined) {
    throw new CliError("ERR_CLI_USAGE", "a caller, a destination and a request are needed, or a decision's id", {
      hint: 'write `--from web --to orders "GET /orders/42"`, or `--decision ID`',
    });
  }
  const set = await readPolicySet(sourcesOf(options), options, io);
  print(explain(set, buildAttributes(request, { ...options, from, to }, { set, now: io.clock() })), options, io);
  return EXIT.ok;
}

function print(explanation: Explanation, { output }: ExplainOptions, io: Io): void {
  if (output === "json") json(io.stdout, explanation);
  else lines(io.stdout, formatExplanation(explanation).trimEnd());
}
