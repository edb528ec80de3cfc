import { diagnostic } from "../diagnostics/codes.ts";
import type { Diagnostic, Span } from "../model/index.ts";

/** The finding for an inline list of requests that YAML tears apart. */
export function tornRequests(span: Span): Diagnostic {
  const message = "write one request a line: in an inline list YAML takes `{`, `}`, `[`, `]` and `,` for its own";
  return diagnostic(
    "ERR_POLICY_ONE_REQUEST_A_LINE",
    span,
    message,
    "under `requests:`, each on a line of its own: `- GET /orders/{id}`",
  );
}
