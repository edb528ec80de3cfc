import type { AuthorityOptions } from "../authority-options.ts";
import type { OutputOptions } from "../command.ts";

/** A passphrase of the keys on disk, in a file or the environment. */
export interface PassphraseOptions {
  readonly keyPassphraseFile?: string;
}

/** Options of every `cellwall ca …` command that talks to a running authority. */
export interface CaOptions extends AuthorityOptions, OutputOptions {}
