import type { Output } from "./io.ts";
import { paint } from "./screen.ts";

/** A log for the terminal of a long-running command; as the authority's and the agent's logs. */
export interface PlainLog {
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
}

/** Lines for people: what happened, and the cause of what went wrong. `quiet` leaves out what is merely worth knowing. */
export function plainLog(output: Output, options: { readonly quiet: boolean }): PlainLog {
  const write = (level: string, fields: object, message: string): void =>
    output.write(`${level} ${message}${factsOf(fields)}\n`);
  return {
    info: (fields, message) => {
      if (!options.quiet) write(paint(output, "dim", "info:"), fields, message);
    },
    warn: (fields, message) => write(paint(output, "yellow", "warning:"), fields, message),
    error: (fields, message) => write(paint(output, "red", "error:"), fields, message),
  };
}

function factsOf(fields: object): string {
  const facts = Object.entries(fields).map(([name, value]) => `${name}=${textOf(value)}`);
  return facts.length === 0 ? "" : ` (${facts.join(", ")})`;
}

function textOf(value: unknown): string {
  if (value instanceof Error) return value.message;
  return typeof value === "string" ? value : (JSON.stringify(value) ?? "");
}
