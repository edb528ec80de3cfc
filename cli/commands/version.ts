import { EXIT } from "../cli-error.ts";
import { examples, type OutputOptions, type Register, withOutput } from "../command.ts";
import { json, lines } from "../screen.ts";

/** `cellwall version`. */
export const registerVersion: Register = (program, { io, action }) => {
  const command = program.command("version").description("say which version this is, and what it runs on");
  examples(withOutput(command), "version", "version --output json").action(
    action(async ({ output }: OutputOptions) => {
      const { packageVersion } = await import("../package-version.ts");
      const facts = {
        version: packageVersion(),
        node: process.versions.node,
        platform: `${process.platform}-${process.arch}`,
      };
      if (output === "json") json(io.stdout, facts);
      else lines(io.stdout, `cellwall ${facts.version} (Node.js ${facts.node}, ${facts.platform})`);
      return EXIT.ok;
    }),
  );
};
