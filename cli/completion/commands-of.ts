import type { Command } from "commander";

/** An option as completion shows it. */
export interface KnownOption {
  /** `--output`, and `-o` where there is one. */
  readonly flags: readonly string[];
  readonly description: string;
  /** Whether a value follows. */
  readonly takesValue: boolean;
  /** What the value may be; empty where it may be anything. */
  readonly choices: readonly string[];
}

/** A command as completion shows it. */
export interface KnownCommand {
  /** Words that lead to it: `["ca", "token"]`; empty for the program itself. */
  readonly path: readonly string[];
  readonly description: string;
  readonly subcommands: readonly { readonly name: string; readonly description: string }[];
  readonly options: readonly KnownOption[];
  /** What the first argument may be; empty where it may be anything. */
  readonly choices: readonly string[];
}

/** A program's commands, itself first, each with what can follow. */
export function commandsOf(program: Command, path: readonly string[] = []): readonly KnownCommand[] {
  const options = [...program.options, program.createOption("-h, --help", "display help for command")];
  const own: KnownCommand = {
    path,
    description: firstLine(program.description()),
    subcommands: program.commands.map((one) => ({ name: one.name(), description: firstLine(one.description()) })),
    options: options.map((one) => ({
      flags: [one.short, one.long].filter((flag) => flag !== undefined && flag !== null),
      description: firstLine(one.description),
      takesValue: one.required || one.optional,
      choices: one.argChoices ?? [],
    })),
    choices: program.registeredArguments[0]?.argChoices ?? [],
  };
  return [own, ...program.commands.flatMap((one) => commandsOf(one, [...path, one.name()]))];
}

function firstLine(text: string): string {
  return text.split("\n")[0] ?? "";
}
