import { CliError } from "../cli-error.ts";

/** Reads a whole number of days; `ERR_CLI_USAGE`. */
export function readDays(text: string): number {
  if (/^[1-9]\d{0,4}$/.test(text)) return Number(text);
  throw new CliError("ERR_CLI_USAGE", `\`${text}\` is not a number of days from 1 to 99999`);
}
