import { examples, type OutputOptions, type Register, withOutput } from "../command.ts";
import { DEFAULT_POLICY_FOLDER } from "../policy-folder.ts";

/** `cellwall check`. */
export const registerCheck: Register = (program, { io, action }) => {
  const command = program
    .command("check")
    .description("look for mistakes in a policy set: all of them, each with its place")
    .argument("[dirs...]", "folders in order; a later Mesh or Workload is merged over an earlier one", [
      DEFAULT_POLICY_FOLDER,
    ]);
  examples(withOutput(command), "check", "check policies/ envs/prod/", "check --output json").action(
    action(async (folders: readonly string[], { output }: OutputOptions) => {
      const { check } = await import("../check/check.ts");
      return check({ folders, output }, io);
    }),
  );
};
