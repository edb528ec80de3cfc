import { withAuthority } from "../authority-options.ts";
import { examples, type Register, withOutput } from "../command.ts";
import { DEFAULT_POLICY_FOLDER } from "../policy-folder.ts";
import type { PublishOptions } from "../publish/publish.ts";

/** `cellwall publish`. */
export const registerPublish: Register = (program, { io, action }) => {
  const command = program
    .command("publish")
    .description("put policies in force, as a whole; a set with errors is refused and the last good one stays")
    .argument("[dirs...]", "folders in order", [DEFAULT_POLICY_FOLDER])
    .option("--dry-run", "say what would change, and change nothing")
    .option("--source <name>", "replace what this source has published, and nothing else; a team's source has its name")
    .option("--commit <sha>", "Git commit of the files; default: that of the first folder, where it is in a repository")
    .option(
      "--approve <id>",
      "put in force what somebody else has published and what waits for approval; with --dry-run it is shown",
    );
  examples(
    withOutput(withAuthority(command)),
    "publish",
    "publish policies/ envs/prod/ --dry-run",
    "publish policies/ --source orders --authority https://authority:7443 --token-file token --root-file root.pem",
    "publish --approve 5f0c1d2e3a4b5968 --dry-run",
    "publish --approve 5f0c1d2e3a4b5968",
  ).action(
    action(async (folders: readonly string[], options: PublishOptions) => {
      const { publish } = await import("../publish/publish.ts");
      return publish(folders, options, io);
    }),
  );
};
