import { Option } from "commander";
import { examples, type Register, withState } from "../command.ts";
import type { DiffCommandOptions } from "../diff/run-diff.ts";
import { DEFAULT_POLICY_FOLDER } from "../policy-folder.ts";
import { withTrust } from "../trust-options.ts";

/** `cellwall diff`. */
export const registerDiff: Register = (program, { io, action }) => {
  const command = program
    .command("diff")
    .description("say what a change of policies does: for whom, at which workload, by which line, each with a request")
    .argument(
      "<old>",
      "folder of policies or of a bundle, Git revision (`main`), or a folder at one (`HEAD~1:policies`)",
    )
    .argument("[new]", "the same, of what it becomes", DEFAULT_POLICY_FOLDER)
    .addOption(
      new Option("--fail-on <direction>", "exit with 1 where more, less, or anything else is allowed").choices([
        "broader",
        "narrower",
        "any",
      ]),
    )
    .option(
      "--candidate",
      "let the candidate policies of the new set stand in for its live ones; without it live policies are compared",
    )
    .addOption(
      new Option("--output <form>", "form of the answer; markdown is for a pull request")
        .choices(["text", "json", "markdown"])
        .default("text"),
    );
  examples(
    withTrust(withState(command)),
    "diff main",
    "diff HEAD~1:policies policies",
    "diff main --fail-on broader --output markdown",
    "diff envs/staging envs/prod --output json",
    "diff .cellwall/agent policies",
    "diff policies policies --candidate",
  ).action(
    action(async (old: string, next: string, options: DiffCommandOptions) => {
      const { runDiff } = await import("../diff/run-diff.ts");
      return runDiff({ old, new: next }, options, io);
    }),
  );
};
