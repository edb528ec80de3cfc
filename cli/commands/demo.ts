import { type Command, Option } from "commander";
import type { MeshName } from "../../compose/index.ts";
import { CliError } from "../cli-error.ts";
import { type CommandContext, collect, examples } from "../command.ts";

/** Named here as well, so that the command line is there without the meshes' code. */
const MESHES: readonly MeshName[] = ["shop", "boutique", "federated"];

interface Options {
  readonly mesh: MeshName;
  readonly once?: boolean;
  readonly keep?: boolean;
  readonly envoy?: string;
  readonly attach?: string;
  readonly log: readonly string[];
  readonly authorities?: string;
}

/** `cellwall demo`: a demo mesh, attacked. */
export function registerDemo(program: Command, context: CommandContext): void {
  const command = program
    .command("demo")
    .description("run a demo mesh behind real Envoys, attack it, and show what happens")
    .addOption(
      new Option("--mesh <name>", "a three-tier shop, ten services over gRPC, or two federated trust domains")
        .choices(MESHES)
        .default("shop"),
    )
    .option("--once", "end after the scenario; exit code 1 when a step went otherwise than it should")
    .option("--keep", "keep the mesh's folder with its logs")
    .option("--envoy <path>", "the Envoy binary to use")
    .option("--attach <dir>", "start nothing: attack a mesh in containers, whose apps have their drive sockets here")
    .option("--log <file>", "with --attach: the decision log of its agent; may be repeated", collect, [])
    .option("--authorities <dir>", "with --attach, federated: folder with the state of store/ and pay/")
    .action(context.action(async (options: Options) => demo(options, context)));
  examples(
    command,
    "demo",
    "demo --once",
    "demo --mesh boutique",
    "demo --mesh federated",
    "demo --envoy /usr/local/bin/envoy",
  );
}

async function demo({ attach, log: logs, authorities, ...options }: Options, { io }: CommandContext) {
  const { attackContainers, runDemo } = await import("../demo/index.ts");
  if (attach === undefined) return runDemo({ once: false, ...options }, io);
  if (logs.length === 0) throw new CliError("ERR_CLI_USAGE", "`--attach` needs `--log`, the agent's decision log");
  const { mesh } = options;
  return attackContainers({ mesh, apps: attach, logs, ...(authorities === undefined ? {} : { authorities }) }, io);
}
