import { Argument } from "commander";
import { EXIT } from "../cli-error.ts";
import { examples, type Register } from "../command.ts";

/** `cellwall completion`. */
export const registerCompletion: Register = (program, { io, action }) => {
  const command = program
    .command("completion")
    .description("print a script that completes commands and options in a shell")
    .addArgument(new Argument("<shell>", "whose script").choices(["bash", "zsh", "fish"]));
  examples(
    command,
    "completion bash > ~/.local/share/bash-completion/completions/cellwall",
    'completion zsh > "$' + '{fpath[1]}/_cellwall"',
    "completion fish > ~/.config/fish/completions/cellwall.fish",
  ).action(
    action(async (shell: "bash" | "zsh" | "fish") => {
      const { completionScript } = await import("../completion/completion-script.ts");
      io.stdout.write(completionScript(shell, program));
      return EXIT.ok;
    }),
  );
};
