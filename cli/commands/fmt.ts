import { examples, type Register } from "../command.ts";
import type { FmtOptions } from "../fmt/format-policies.ts";
import { DEFAULT_POLICY_FOLDER } from "../policy-folder.ts";

/** `cellwall fmt`. */
export const registerFmt: Register = (program, { io, action }) => {
  const command = program
    .command("fmt")
    .description("bring policy files into one form: order of keys, one request a line; comments are kept")
    .argument("[dirs...]", "folders or files", [DEFAULT_POLICY_FOLDER])
    .option("--check", "end with 1 where a file is in another form")
    .option("--write", "write the files; without it they are only named");
  examples(command, "fmt --write", "fmt policies/ --check").action(
    action(async (folders: readonly string[], options: FmtOptions) => {
      const { formatPolicies } = await import("../fmt/format-policies.ts");
      return formatPolicies(folders, options, io);
    }),
  );
};
