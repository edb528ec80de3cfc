import { type Attributes, type Explanation, explain, formatExplanation, type PolicySet } from "../../policies/index.ts";
import { CliError, EXIT, type ExitCode } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { readPolicySet } from "../policy-set.ts";
import { json, lines, paint } from "../screen.ts";
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
  const attributes = buildAttributes(request, { ...options, from, to }, { set, now: io.clock() });
  sayNoListener(attributes, set, io);
  print(explain(set, attributes), options, io);
  return EXIT.ok;
}

/** The verdict is of the policies: where nothing listens, no request gets as far. */
function sayNoListener({ destination, listener }: Attributes, set: PolicySet, io: Io): void {
  const workload = set.workloads.find(({ identity }) => identity.toString() === destination.toString());
  const listens = workload?.sidecar?.listens ?? [];
  if (workload === undefined || listens.length === 0 || listens.some(({ port }) => port === listener.port)) return;
  const ports = listens.map(({ port }) => port).join(", ");
  const where = `${workload.namespace}/${workload.name} has no listener on port ${listener.port}, only on ${ports}`;
  lines(io.stderr, `${paint(io.stderr, "yellow", "warning")}: ${where}`);
}

function print(explanation: Explanation, { output }: ExplainOptions, io: Io): void {
  if (output === "json") json(io.stdout, explanation);
  else lines(io.stdout, formatExplanation(explanation).trimEnd());
}
