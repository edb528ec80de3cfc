import { exportPolicies } from "../../policies/interop/index.ts";
import { EXIT, type ExitCode } from "../cli-error.ts";
import type { ExportCommandOptions } from "../commands/export.ts";
import type { Io } from "../io.ts";
import { readPolicySet } from "../policy-set.ts";
import { printResult } from "./print-result.ts";
import { runInterop } from "./run-interop.ts";

/** Exports the policies of folders; ends with 0 whatever the report says, since it is there to be read. */
export async function exportFolders(
  format: string,
  folders: readonly string[],
  options: ExportCommandOptions,
  io: Io,
): Promise<ExitCode> {
  const set = await readPolicySet(folders, options, io);
  const { workload } = options;
  const result = runInterop(() =>
    exportPolicies(format, set, { ...(workload === undefined ? {} : { workload }), now: io.clock() }),
  );
  printResult("text", result.text, result.report, options, io);
  return EXIT.ok;
}
