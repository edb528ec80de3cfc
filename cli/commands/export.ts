import { examples, type Register, withOutput, withState } from "../command.ts";
import type { ExportCommandOptions } from "../interop/export-folders.ts";
import { DEFAULT_POLICY_FOLDER } from "../policy-folder.ts";
import { withTrust } from "../trust-options.ts";

/** `cellwall export`. */
export const registerExport: Register = (program, { io, action }) => {
  const command = program
    .command("export")
    .description("write the policies in another system's form, and say what could not be carried over")
    .argument("<format>", "the other system, e.g. istio or envoy-rbac; a wrong one names them all")
    .argument("[dirs...]", "folders in order, or that of a bundle", [DEFAULT_POLICY_FOLDER])
    .option("--workload <name>", "only what protects this workload, or namespace/workload")
    .option("--report <file>", "write the report there, as JSON");
  examples(
    withOutput(withTrust(withState(command))),
    "export istio",
    "export envoy-rbac --workload shop/orders",
    "export kubernetes policies/ --report report.json",
  ).action(
    action(async (format: string, folders: readonly string[], options: ExportCommandOptions) => {
      const { exportFolders } = await import("../interop/export-folders.ts");
      return exportFolders(format, folders, options, io);
    }),
  );
};
