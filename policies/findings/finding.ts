import type { Span } from "../model/index.ts";

/** A concrete request that shows a finding: replayed, it gets the verdict that the finding claims. */
export interface WitnessRequest {
  /** `namespace/name` of a workload, a SPIFFE ID, or `anonymous`. */
  readonly from: string;
  /** `namespace/name` of a workload, or a SPIFFE ID. */
  readonly to: string;
  /** `GET /orders/42`, `grpc a.B/C`, `websocket /x`, `tcp 5432`. */
  readonly request: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly query?: Readonly<Record<string, string | readonly string[]>>;
  readonly host?: string;
  readonly port?: number;
  /** The direct peer's IP address. */
  readonly address?: string;
  /** Payloads of verified tokens, by JWT provider. */
  readonly claims?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** An instant in UTC. */
  readonly at?: string;
}

/** One finding of an analysis. */
export interface Finding {
  /** Stable, kebab-case, documented. */
  readonly id: string;
  readonly severity: "error" | "warning" | "note";
  readonly span?: Span;
  /** One sentence, lower case, the user's input in backticks. */
  readonly message: string;
  /** Why it matters. */
  readonly reason: string;
  /** What to do. */
  readonly remedy?: string;
  readonly witness?: WitnessRequest;
  readonly related?: readonly { readonly span: Span; readonly message: string }[];
  /** Stable when lines move. */
  readonly fingerprint: string;
}
