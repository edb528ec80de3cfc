import { printable } from "../../policies/printable.ts";
import type { AuthorityOptions } from "../authority-options.ts";
import { CliError, EXIT, type ExitCode } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { type PolicyText, readPolicyFolders } from "../policy-folder.ts";
import { startProgress } from "../progress.ts";
import type { PassName } from "./pass.ts";
import { PASSES } from "./passes.ts";
import { printReport } from "./print-report.ts";
import { type CheckReport, countsOf } from "./report.ts";
import { runPasses } from "./run-passes.ts";

/** Options of `cellwall check`. */
export interface CheckOptions extends AuthorityOptions {
  readonly only: readonly PassName[];
  readonly against?: string;
  readonly source?: string;
  readonly failOn: "error" | "warning";
  readonly output: "text" | "json" | "sarif" | "junit";
}

/** Prints what is wrong with a set and how large it is; findings where something is at least as grave as `--fail-on`. */
export async function check(folders: readonly string[], options: CheckOptions, io: Io): Promise<ExitCode> {
  const { source } = options;
  if (source !== undefined && options.against === undefined)
    throw new CliError("ERR_CLI_USAGE", "`--source` belongs to `--against`: what others have published is not known", {
      hint: `write \`--against authority --source ${printable(source, 80)}\`, or name the platform's folder in place of \`authority\``,
    });
  const files = readPolicyFolders(folders, io.cwd);
  const foreign = await foreignFiles(options, files, io);
  const passes = PASSES.filter(({ name }) => options.only.length === 0 || options.only.includes(name));
  const report = runPasses({
    files,
    foreign,
    ...(source === undefined ? {} : { source }),
    passes,
    now: io.clock(),
    progress: startProgress(io.stderr),
  });
  printReport(report, options.output, io);
  return fails(report, options.failOn) ? EXIT.findings : EXIT.ok;
}

/** What `--against` names; how to ask an authority is loaded where there is one to ask. */
async function foreignFiles(
  { against, ...options }: CheckOptions,
  own: readonly PolicyText[],
  io: Io,
): Promise<readonly PolicyText[]> {
  if (against === undefined) return [];
  const { readForeign } = await import("./foreign.ts");
  return readForeign({ ...options, against }, own, io);
}

function fails(report: CheckReport, failOn: CheckOptions["failOn"]): boolean {
  const { errors, warnings } = countsOf(report);
  return errors > 0 || (failOn === "warning" && warnings > 0);
}
