import { InvalidArgumentError, Option } from "commander";
import type { ChangeKind } from "../../policies/index.ts";
import { collect, examples, type Register, withState } from "../command.ts";
import { DEFAULT_POLICY_FOLDER } from "../policy-folder.ts";
import type { SimulateOptions } from "../simulate/simulate.ts";
import { withTrust } from "../trust-options.ts";

const FAIL_ON: readonly ChangeKind[] = ["newly-denied", "newly-allowed", "undecidable"];

/** `cellwall simulate`. */
export const registerSimulate: Register = (program, { io, action }) => {
  const command = program
    .command("simulate")
    .description("say what a new policy set would have done to the requests of a decision log")
    .argument(
      "[new...]",
      "folders of the new set, in order, or that of a bundle, whose signature is verified where a root is known",
      [DEFAULT_POLICY_FOLDER],
    )
    .option("--log <file>", "a decision log; may be repeated; default: the state folder's", collect, [])
    .option(
      "--old <dir>",
      "the set that made the decisions: what its allows asked for is known; may be repeated",
      collect,
      [],
    )
    .addOption(
      new Option("--fail-on <kind>", `end with 1 where there is one of ${FAIL_ON.join(", ")}; may be repeated`)
        .argParser((value: string, before: readonly ChangeKind[]) => [...before, changeKind(value)])
        .default([], "nothing"),
    )
    .option("--evaluated", "compare what the policies say, monitor mode left aside")
    .option("--candidate", "let the candidate policies of the new set stand in for its live ones")
    .addOption(
      new Option("--output <form>", "form of the answer").choices(["text", "json", "markdown"]).default("text"),
    );
  examples(
    withTrust(withState(command)),
    "simulate policies/",
    "simulate policies/ envs/prod/ --fail-on newly-denied",
    "simulate policies/ --old .cellwall/agent",
    "simulate policies/ --log host-1.jsonl --log host-2.jsonl --output markdown",
  ).action(
    action(async (sources: readonly string[], options: SimulateOptions) => {
      const { simulatePolicies } = await import("../simulate/simulate.ts");
      return simulatePolicies(sources, options, io);
    }),
  );
};

function changeKind(value: string): ChangeKind {
  const found = FAIL_ON.find((kind) => kind === value);
  if (found !== undefined) return found;
  throw new InvalidArgumentError(`Allowed choices are ${FAIL_ON.join(", ")}.`);
}
