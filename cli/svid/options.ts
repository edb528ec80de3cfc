import type { OutputOptions } from "../command.ts";

/** Options of every `cellwall svid …` command. */
export interface SvidOptions extends OutputOptions {
  readonly address?: string;
  /** Seconds. */
  readonly timeout: number;
}
