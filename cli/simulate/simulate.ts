import {
  type ChangeKind,
  formatSimulation,
  formatSimulationMarkdown,
  Simulation,
  type SimulationReport,
} from "../../policies/index.ts";
import { EXIT, type ExitCode } from "../cli-error.ts";
import { type LogFile, logFiles } from "../decisions/log-files.ts";
import { readLines } from "../decisions/read-lines.ts";
import type { Io } from "../io.ts";
import { readPolicySet } from "../policy-set.ts";
import { startProgress } from "../progress.ts";
import { json } from "../screen.ts";
import type { TrustOptions } from "../trust-options.ts";

/** Options of `cellwall simulate`. */
export interface SimulateOptions extends TrustOptions {
  readonly log: readonly string[];
  readonly old: readonly string[];
  readonly failOn: readonly ChangeKind[];
  readonly evaluated?: boolean;
  readonly candidate?: boolean;
  readonly output: "text" | "json" | "markdown";
}

/** Prints what a new set would have done to recorded decisions; findings where `--fail-on` names what it does. */
export async function simulatePolicies(
  sources: readonly string[],
  options: SimulateOptions,
  io: Io,
): Promise<ExitCode> {
  const set = await readPolicySet(sources, options, io);
  const files = logFiles(options, io.cwd);
  const simulation = new Simulation(set, {
    now: io.clock(),
    compare: options.evaluated === true ? "evaluated" : "verdict",
    ...(options.old.length === 0 ? {} : { old: await readPolicySet(options.old, options, io) }),
    stage: options.candidate === true ? "candidate" : "live",
  });
  await feed(simulation, files, io);
  const report = simulation.report();
  print(report, options, io);
  return options.failOn.some((kind: ChangeKind) => report.counts[kind] > 0) ? EXIT.findings : EXIT.ok;
}

async function feed(simulation: Simulation, files: readonly LogFile[], io: Io): Promise<void> {
  const progress = startProgress(io.stderr);
  const total = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  let done = 0;
  try {
    for (const file of files) {
      await readLines(file, {
        line(text) {
          simulation.addLine(text);
          return !io.signal.aborted;
        },
        read(bytes) {
          done += bytes;
          progress.show(`reading ${file.shown}`, done, total);
        },
      });
    }
  } finally {
    progress.clear();
  }
}

function print(report: SimulationReport, { output }: SimulateOptions, io: Io): void {
  if (output === "json") json(io.stdout, report);
  else io.stdout.write(output === "markdown" ? formatSimulationMarkdown(report) : formatSimulation(report));
}
