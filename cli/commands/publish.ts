import { type AuthorityOptions, withAuthority } from "../admin-client.ts";
import { examples, type OutputOptions, type Register, withOutput } from "../command.ts";
import { DEFAULT_POLICY_FOLDER } from "../policy-folder.ts";

/** Options of `cellwall publish`. */
export interface PublishOptions extends AuthorityOptions, OutputOptions {
  readonly dryRun?: boolean;
}

/** `cellwall publish`. */
export const registerPublish: Register = (program, { io, action }) => {
  const command = program
    .command("publish")
    .description("put a policy set in force, as a whole; one with errors is refused and the last good one stays")
    .argument("[dirs...]", "folders in order", [DEFAULT_POLICY_FOLDER])
    .option("--dry-run", "say what would change, and change nothing");
  examples(withOutput(withAuthority(command)), "publish", "publish policies/ envs/prod/ --dry-run").action(
    action(async (folders: readonly string[], options: PublishOptions) => {
      const { publish } = await import("../publish/publish.ts");
      return publish(folders, options, io);
    }),
  );
};
