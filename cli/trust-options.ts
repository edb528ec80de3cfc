import type { Command } from "commander";

/** Whom to believe about a bundle's signature. */
export interface TrustOptions {
  readonly state: string;
  readonly rootFile?: string;
}

/** `--root-file`, for commands that read bundles. */
export function withTrust(command: Command): Command {
  return command.option(
    "--root-file <file>",
    "PEM file with the mesh's root certificate, which verifies a bundle's signature; default: the state folder's",
  );
}
