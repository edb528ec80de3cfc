import { performance } from "node:perf_hooks";
import { type MutationReport, mutate, type PolicySet, runTests, type TestReport } from "../../policies/index.ts";
import { readGoodDocuments } from "../check/read-good-set.ts";
import { CliError, EXIT, type ExitCode } from "../cli-error.ts";
import { type Io, stopRequested } from "../io.ts";
import { startProgress } from "../progress.ts";
import { lines, paint } from "../screen.ts";
import { watchFolders } from "../up/watch-folders.ts";
import { printTests, type TestRun } from "./print-tests.ts";

/** Options of `cellwall test` as given. */
export interface TestCommandOptions {
  readonly mutate?: boolean;
  readonly minCoverage?: string;
  readonly minScore?: string;
  readonly budget: string;
  readonly asEnforced?: boolean;
  readonly watch?: boolean;
  readonly output: "text" | "json" | "junit" | "sarif";
}

/** How often watch mode looks at the files, in milliseconds. */
const WATCH_INTERVAL_MS = 300;

/** Runs the PolicyTests of folders; findings where a case fails or a threshold is not met. */
export async function testPolicies(folders: readonly string[], options: TestCommandOptions, io: Io): Promise<ExitCode> {
  if (options.minScore !== undefined && options.mutate !== true)
    throw new CliError(
      "ERR_CLI_USAGE",
      "`--min-score` belongs to `--mutate`: without it there are no mutants to notice",
      {
        hint: "add `--mutate`, or ask for `--min-coverage`",
      },
    );
  const wanted = { ...options, minCoverage: percent(options.minCoverage), minScore: percent(options.minScore) };
  if (!options.watch) return testOnce(folders, wanted, io);
  const again = async (): Promise<void> => void testAgain(folders, wanted, io);
  await again();
  const stop = watchFolders({ folders, cwd: io.cwd, intervalMs: WATCH_INTERVAL_MS, changed: again });
  await stopRequested(io.signal);
  await stop();
  return EXIT.ok;
}

/** Options with numbers read. */
export type WantedTests = Omit<TestCommandOptions, "minCoverage" | "minScore"> & {
  readonly minCoverage: number | undefined;
  readonly minScore: number | undefined;
};

/** In watch mode a set that cannot be read is said and waited for. */
function testAgain(folders: readonly string[], options: WantedTests, io: Io): void {
  try {
    testOnce(folders, options, io);
  } catch (error) {
    if (!(error instanceof CliError)) throw error;
    lines(io.stderr, `${paint(io.stderr, "red", "error:")} ${error.message}`);
  }
  lines(io.stderr, paint(io.stderr, "dim", "watching; Ctrl-C ends"));
}

function testOnce(folders: readonly string[], options: WantedTests, io: Io): ExitCode {
  const { set, documents, files } = readGoodDocuments(folders, io);
  const now = io.clock();
  const asEnforced = options.asEnforced === true;
  const { minCoverage } = options;
  const tests = runTests(set, documents, {
    now,
    asEnforced,
    ...(minCoverage === undefined ? {} : { minCoverage }),
  });
  const mutation = options.mutate === true && tests.failed === 0 ? runMutants(set, documents, options, io) : undefined;
  const run: TestRun = { tests, mutation, ok: isGood(tests, mutation, options), minScore: options.minScore, files };
  printTests(run, options.output, io);
  return run.ok ? EXIT.ok : EXIT.findings;
}

function runMutants(
  set: PolicySet,
  documents: Parameters<typeof mutate>[1],
  { budget, asEnforced }: WantedTests,
  io: Io,
): MutationReport {
  const progress = startProgress(io.stderr);
  try {
    return mutate(set, documents, {
      now: io.clock(),
      asEnforced: asEnforced === true,
      budgetMs: seconds(budget) * 1_000,
      clock: () => performance.now(),
      progress: (done, total) => progress.show("mutants", done, total),
    });
  } finally {
    progress.clear();
  }
}

function isGood(
  tests: TestReport,
  mutation: MutationReport | undefined,
  { mutate: wanted, minScore }: WantedTests,
): boolean {
  if (!tests.ok) return false;
  if (wanted !== true || minScore === undefined) return true;
  return mutation !== undefined && mutation.untried === 0 && mutation.score >= minScore;
}

function percent(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,3}$/.test(text) && Number(text) <= 100) return Number(text);
  throw new CliError("ERR_CLI_USAGE", `\`${text}\` is not a percentage`, { hint: "give a whole number from 0 to 100" });
}

function seconds(text: string): number {
  if (/^\d{1,6}$/.test(text) && Number(text) > 0) return Number(text);
  throw new CliError("ERR_CLI_USAGE", `\`${text}\` is not a number of seconds`);
}
