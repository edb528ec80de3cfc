import { CliError, EXIT } from "../cli-error.ts";
import { examples, type Register } from "../command.ts";
import { DEFAULT_POLICY_FOLDER } from "../policy-folder.ts";

interface Options {
  readonly trustDomain: string;
  readonly from?: string;
  readonly write?: boolean;
}

/** `cellwall init`. */
export const registerInit: Register = (program, { io, action }) => {
  const command = program
    .command("init")
    .description("write a small, commented, working policy set; existing files are never overwritten")
    .argument("[dir]", "folder to write into", DEFAULT_POLICY_FOLDER)
    .option("--trust-domain <name>", "trust domain of the mesh, e.g. shop.example", "mesh.example")
    .option("--from <compose.yaml>", "propose workloads and sidecars for the services of this compose file, as a diff")
    .option("--write", "with --from: write what the diff shows");
  examples(
    command,
    "init",
    "init envs/dev --trust-domain shop.example",
    "init --from compose.yaml",
    "init --from compose.yaml --write",
  ).action(
    action(async (folder: string, { trustDomain, from, write = false }: Options) => {
      if (from !== undefined) {
        const { initFromCompose } = await import("../init/compose/init-from-compose.ts");
        return initFromCompose({ folder, trustDomain, from, write }, io);
      }
      if (write)
        throw new CliError("ERR_CLI_USAGE", "`--write` belongs to `--from`; without it the set is written anyway");
      const { writeStarterSet } = await import("../init/write-starter-set.ts");
      writeStarterSet({ folder, trustDomain }, io);
      return EXIT.ok;
    }),
  );
};
