import { EXIT } from "../cli-error.ts";
import { examples, type Register } from "../command.ts";
import { DEFAULT_POLICY_FOLDER } from "../policy-folder.ts";

/** `cellwall init`. */
export const registerInit: Register = (program, { io, action }) => {
  const command = program
    .command("init")
    .description("write a small, commented, working policy set; existing files are never overwritten")
    .argument("[dir]", "folder to write into", DEFAULT_POLICY_FOLDER)
    .option("--trust-domain <name>", "trust domain of the mesh, e.g. shop.example", "mesh.example");
  examples(command, "init", "init envs/dev --trust-domain shop.example").action(
    action(async (folder: string, { trustDomain }: { readonly trustDomain: string }) => {
      const { writeStarterSet } = await import("../init/write-starter-set.ts");
      writeStarterSet({ folder, trustDomain }, io);
      return EXIT.ok;
    }),
  );
};
