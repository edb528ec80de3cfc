import { InvalidArgumentError, Option } from "commander";
import { withAuthority } from "../authority-options.ts";
import type { CheckOptions } from "../check/check.ts";
import { PASS_NAMES } from "../check/pass.ts";
import { examples, type Register } from "../command.ts";
import { DEFAULT_POLICY_FOLDER } from "../policy-folder.ts";
import { prepareShortRun } from "../short-run.ts";

function onlyPass(value: string, before: CheckOptions["only"]): CheckOptions["only"] {
  const pass = PASS_NAMES.find((one) => one === value);
  if (pass === undefined) throw new InvalidArgumentError(`Allowed choices are ${PASS_NAMES.join(", ")}.`);
  return [...before, pass];
}

/** `cellwall check`. */
export const registerCheck: Register = (program, { io, action }) => {
  const command = program
    .command("check")
    .description("look for mistakes in a policy set: lint, guardrails and tests in one go, each finding with its place")
    .argument("[dirs...]", "folders in order; a later Mesh or Workload is merged over an earlier one", [
      DEFAULT_POLICY_FOLDER,
    ])
    .option("--only <pass>", "run this only: lint, test or guardrails; may be repeated", onlyPass, [])
    .option(
      "--against <where>",
      "judge the folders as part of what is in force: `authority`, https://…, a folder, or a file of GET /v1/policies, which carries no signature",
    )
    .option("--source <name>", "with --against: what that source has published is replaced by the folders")
    .addOption(
      new Option("--fail-on <severity>", "least severity that ends with 1")
        .choices(["error", "warning"])
        .default("warning"),
    )
    .addOption(
      new Option("--output <form>", "form of the answer").choices(["text", "json", "sarif", "junit"]).default("text"),
    );
  examples(
    withAuthority(command),
    "check",
    "check policies/ envs/prod/",
    "check --only lint --only test --output sarif",
    "check orders/ --against authority --source orders",
  ).action(
    action(async (folders: readonly string[], options: CheckOptions) => {
      prepareShortRun();
      const { check } = await import("../check/check.ts");
      return check(folders, options, io);
    }),
  );
};
