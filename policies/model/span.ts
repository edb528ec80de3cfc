/** A place in a source text. Lines and columns count from 1; the end is exclusive. */
export interface Span {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
}

/** How much a diagnostic weighs: an `error` keeps the set from being compiled, the others never do. */
export type Severity = "error" | "warning" | "info";

/** One finding about a policy text, with its place. `code` is stable, e.g. `ERR_POLICY_UNKNOWN_KEY`. */
export interface Diagnostic {
  readonly severity: Severity;
  readonly code: string;
  readonly span: Span;
  readonly message: string;
  /** What to do about it; absent where the message says it all. */
  readonly hint?: string;
}
