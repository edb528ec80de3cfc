import { exportPolicies } from "../../policies/interop/index.ts";
import { EXIT, type ExitCode } from "../cli-error.ts";
import type { OutputOptions } from "../command.ts";
import { findWorkload, fullName } from "../explain/find-workload.ts";
import type { Io } from "../io.ts";
import { readPolicySet } from "../policy-set.ts";
import type { TrustOptions } from "../trust-options.ts";
import { printResult } from "./print-result.ts";
import { runInterop } from "./run-interop.ts";

/** Options of `cellwall export`. */
export interface ExportCommandOptions extends OutputOptions, TrustOptions {
  readonly workload?: string;
  readonly report?: string;
}

/** Exports the policies of folders; ends with 0 whatever the report says, since it is there to be read. */
export async function exportFolders(
  format: string,
  folders: readonly string[],
  options: ExportCommandOptions,
  io: Io,
): Promise<ExitCode> {
  const set = await readPolicySet(folders, options, io);
  const workload = options.workload === undefined ? undefined : fullName(findWorkload(options.workload, set));
  const result = runInterop(() =>
    exportPolicies(format, set, { ...(workload === undefined ? {} : { workload }), now: io.clock() }),
  );
  printResult("text", result.text, result.report, options, io);
  return EXIT.ok;
}
