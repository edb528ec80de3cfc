import type { Command } from "commander";
import { type StateOptions, withState } from "./command.ts";

/** Options of commands that talk to a running authority. */
export interface AuthorityOptions extends StateOptions {
  readonly authority?: string;
  readonly tokenFile?: string;
  readonly rootFile?: string;
}

/** `--authority`, `--token-file`, `--root-file`, beside `--state`. */
export function withAuthority(command: Command): Command {
  return withState(command)
    .option("--authority <url>", "address of the authority; default: the one that runs on the state folder")
    .option("--token-file <file>", "file with the admin token, for --authority")
    .option("--root-file <file>", "PEM file with the root certificate, for --authority");
}
