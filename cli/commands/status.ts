import { type AuthorityOptions, withAuthority } from "../admin-client.ts";
import { examples, type OutputOptions, type Register, withOutput } from "../command.ts";

/** Options of `cellwall status`. */
export interface StatusOptions extends AuthorityOptions, OutputOptions {}

/** `cellwall status`. */
export const registerStatus: Register = (program, { io, action }) => {
  const command = program
    .command("status")
    .description(
      "what is in force, what was refused, and how far each node has come; findings (1) where something needs attention",
    );
  examples(withOutput(withAuthority(command)), "status", "status --output json").action(
    action(async (options: StatusOptions) => {
      const { status } = await import("../status/status.ts");
      return status(options, io);
    }),
  );
};
