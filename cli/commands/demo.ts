import type { Command } from "commander";
import { type CommandContext, examples } from "../command.ts";

interface Options {
  readonly once?: boolean;
  readonly keep?: boolean;
  readonly envoy?: string;
}

/** `cellwall demo`: the demo mesh, attacked. */
export function registerDemo(program: Command, context: CommandContext): void {
  const command = program
    .command("demo")
    .description("run a three-tier shop behind real Envoys, attack it, and show what happens")
    .option("--once", "end after the scenario; exit code 1 when a step went otherwise than it should")
    .option("--keep", "keep the mesh's folder with its logs")
    .option("--envoy <path>", "the Envoy binary to use")
    .action(
      context.action(async (options: Options) => {
        const { runDemo } = await import("../demo/index.ts");
        return runDemo({ once: false, ...options }, context.io);
      }),
    );
  examples(command, "demo", "demo --once", "demo --envoy /usr/local/bin/envoy");
}
