import type { Io, Output } from "./io.ts";
import { paint } from "./screen.ts";

/** The log of a long-running command, as authority and agent write to it. */
export interface CommandLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** How a log is written. */
export interface CommandLogOptions {
  /** Lines for people, or JSON lines for whoever collects them. */
  readonly format: "text" | "json";
  readonly clock: Io["clock"];
  /** Leaves out what is merely worth knowing. */
  readonly quiet?: boolean;
}

type Level = keyof CommandLog;

const STYLES = { info: "dim", warn: "yellow", error: "red" } as const;

/** A log to an output, one line an entry. */
export function commandLog(output: Output, { format, clock, quiet = false }: CommandLogOptions): CommandLog {
  const write = (level: Level, fields: object, message: string): void => {
    const facts = new Map(Object.entries(fields).map(([name, value]) => [name, plain(value)]));
    const line = format === "json" ? jsonLine(level, facts, message) : textLine(level, facts, message);
    output.write(`${line}\n`);
  };
  const jsonLine = (level: Level, facts: ReadonlyMap<string, unknown>, message: string): string =>
    JSON.stringify({ time: clock().toISOString(), level, message, ...Object.fromEntries(facts) });
  const textLine = (level: Level, facts: ReadonlyMap<string, unknown>, message: string): string =>
    `${clock().toISOString().slice(11, 19)} ${paint(output, STYLES[level], `${level}:`)} ${message}${factsText(facts)}`;
  return {
    info: (fields, message) => (quiet ? undefined : write("info", fields, message)),
    warn: (fields, message) => write("warn", fields, message),
    error: (fields, message) => write("error", fields, message),
  };
}

/** Errors lose what `JSON.stringify` would lose as well, but for their message. */
function plain(value: unknown): unknown {
  return value instanceof Error ? value.message : value;
}

function factsText(facts: ReadonlyMap<string, unknown>): string {
  const texts = [...facts].map(
    ([name, value]) => `${name}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  return texts.length === 0 ? "" : ` (${texts.join(", ")})`;
}
