import { Option } from "commander";
import { examples, type Register } from "../command.ts";
import { DEFAULT_POLICY_FOLDER } from "../policy-folder.ts";
import type { TestCommandOptions } from "../policy-tests/test-policies.ts";

/** `cellwall test`. */
export const registerTest: Register = (program, { io, action }) => {
  const command = program
    .command("test")
    .description("run the PolicyTests of a set: what is allowed, what is denied, and what no test shows")
    .argument("[dirs...]", "folders in order", [DEFAULT_POLICY_FOLDER])
    .option("--min-coverage <percent>", "least coverage of request lines and conditions")
    .option("--mutate", "also change the set in small ways and list the changes that no test notices")
    .option("--min-score <percent>", "with --mutate: least share of changes that tests must notice")
    .option("--budget <seconds>", "with --mutate: the most time to take", "60")
    .option("--as-enforced", "judge workloads in monitor mode as if they enforced")
    .option("--watch", "run again whenever a file changes")
    .addOption(
      new Option("--output <form>", "form of the answer").choices(["text", "json", "junit", "sarif"]).default("text"),
    );
  examples(command, "test", "test --min-coverage 80 --output junit", "test policies/ --mutate --min-score 90").action(
    action(async (folders: readonly string[], options: TestCommandOptions) => {
      const { testPolicies } = await import("../policy-tests/test-policies.ts");
      return testPolicies(folders, options, io);
    }),
  );
};
