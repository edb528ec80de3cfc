import { withAuthority } from "../authority-options.ts";
import { examples, type Register, withOutput } from "../command.ts";
import type { StatusOptions } from "../status/status.ts";

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
