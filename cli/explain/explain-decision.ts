import {
  type Attributes,
  type Explanation,
  explain,
  formatExplanation,
  identityReader,
  type PolicySet,
  printable,
  type RecordedDecision,
  recordedAttributes,
} from "../../policies/index.ts";
import { CliError, EXIT, type ExitCode } from "../cli-error.ts";
import { findDecision } from "../decisions/find-decision.ts";
import { logFiles } from "../decisions/log-files.ts";
import type { Io } from "../io.ts";
import { readPolicySet } from "../policy-set.ts";
import { json, lines } from "../screen.ts";
import type { ExplainOptions } from "./options.ts";
import { sourcesOf } from "./sources-of.ts";

/** What no record holds: kept short on purpose, since headers, queries and tokens carry secrets. */
const UNKNOWN = ["host", "headers", "query", "token"] as const;

/** Prints a decision of the log, and why the policies at hand decide its request as they do. */
export async function explainDecision(
  id: string,
  request: string | undefined,
  options: ExplainOptions,
  io: Io,
): Promise<ExitCode> {
  if (request !== undefined || options.from !== undefined || options.to !== undefined) {
    throw new CliError("ERR_CLI_USAGE", "a decision's id stands for the request, its caller and its destination", {
      hint: "leave out either `--decision`, or the request with `--from` and `--to`",
    });
  }
  const record = await findDecision(id, logFiles(options, io.cwd));
  const set = await readPolicySet(sourcesOf(options), options, io);
  const explanation = explain(set, attributesOf(record, set));
  if (options.output === "json") json(io.stdout, { record, unknown: unknownOf(record), explanation });
  else lines(io.stdout, ...textOf(record, explanation));
  return EXIT.ok;
}

/** The request as of its own time, so that time limits hold as they did. */
function attributesOf(record: RecordedDecision, set: PolicySet): Attributes {
  const time = new Date(record.time);
  const workloads = new Map(set.workloads.map((workload) => [workload.identity.toString(), workload]));
  const read = recordedAttributes(record, {
    now: time,
    pathsOf: (destination) => workloads.get(destination)?.paths,
    identity: identityReader(),
  });
  if (read.ok && !Number.isNaN(time.getTime()) && record.listenerPort !== 0) return read.attributes;
  const why = read.ok ? "its request could not be read" : read.why;
  throw new CliError("ERR_CLI_USAGE", `decision \`${record.id}\` cannot be asked again: ${why}`);
}

function unknownOf({ method }: RecordedDecision): readonly string[] {
  return method === undefined ? [] : UNKNOWN;
}

function textOf(record: RecordedDecision, explanation: Explanation): readonly string[] {
  const { method, path, caller, destination, listenerPort } = record;
  const request = method === undefined ? `tcp ${listenerPort}` : `${method} ${path ?? "(a path that was refused)"}`;
  const unknown = unknownOf(record);
  return [
    `decision ${record.id} at ${record.time}: ${record.verdict}: ${record.line ?? record.reason}`,
    `  ${caller ?? "no identity"} -> ${destination}: ${request}`,
    ...(unknown.length === 0 ? [] : [`  not in the record, so unknown below: ${unknown.join(", ")}`]),
    "by the policies at hand:",
  ]
    .map((line) => printable(line, 1_024))
    .concat(formatExplanation(explanation).trimEnd());
}
