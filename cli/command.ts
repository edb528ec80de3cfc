import { type Command, Option } from "commander";
import type { ExitCode } from "./cli-error.ts";
import type { Io } from "./io.ts";

/** What a command's definition gets: where it writes, and how it says what it ends with. */
export interface CommandContext {
  readonly io: Io;
  /** The action of a command: what it resolves to becomes the exit code. */
  action<Args extends readonly unknown[]>(run: (...args: Args) => Promise<ExitCode>): (...args: Args) => Promise<void>;
}

/** Adds one command to the program. */
export type Register = (program: Command, context: CommandContext) => void;

/** Options that several commands share. */
export interface StateOptions {
  readonly state: string;
}
export interface OutputOptions {
  readonly output: "text" | "json";
}

export interface LogOptions {
  readonly logFormat: "text" | "json";
}

/** `--state DIR`: where authority and agent keep what must outlive them. */
export function withState(command: Command): Command {
  return command.addOption(
    new Option("--state <dir>", "folder of keys, database, sockets and logs")
      .env("CELLWALL_STATE")
      .default(".cellwall"),
  );
}

/** `--output text|json`. */
export function withOutput(command: Command): Command {
  return command.addOption(
    new Option("--output <form>", "form of the answer").choices(["text", "json"]).default("text"),
  );
}

/** `--log-format text|json`. */
export function withLogFormat(command: Command): Command {
  return command.addOption(
    new Option("--log-format <form>", "form of the log on standard error").choices(["text", "json"]).default("text"),
  );
}

/** Examples at the end of a command's help. */
export function examples(command: Command, ...texts: readonly string[]): Command {
  return command.addHelpText("after", `\nExamples:\n${texts.map((text) => `  $ cellwall ${text}`).join("\n")}`);
}

/** Collects the values of an option that may be given several times. */
export function collect(value: string, before: readonly string[]): readonly string[] {
  return [...before, value];
}
