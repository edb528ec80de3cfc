import type { OutputOptions } from "../command.ts";
import type { TrustOptions } from "../trust-options.ts";

/** Options of `cellwall explain`. */
export interface ExplainOptions extends OutputOptions, TrustOptions {
  readonly from?: string;
  readonly to?: string;
  readonly decision?: string;
  readonly log: readonly string[];
  readonly header: readonly string[];
  readonly host?: string;
  readonly port?: string;
  readonly address?: string;
  readonly claims: readonly string[];
  readonly at?: string;
  readonly policies: readonly string[];
}
