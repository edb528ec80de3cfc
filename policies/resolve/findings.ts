import { type DiagnosticCode, diagnostic } from "../diagnostics/codes.ts";
import type { Diagnostic, Span } from "../model/index.ts";

/** Collects what resolving finds; the same finding at the same place is kept once. */
export class Findings {
  readonly #all: Diagnostic[];
  readonly #seen: Set<string>;

  /** Starts with the findings of parsing. */
  constructor(earlier: readonly Diagnostic[]) {
    this.#all = [];
    this.#seen = new Set();
    for (const one of earlier) this.add(one);
  }

  add(one: Diagnostic): void {
    const key = `${one.span.file}:${one.span.line}:${one.span.column}:${one.code}:${one.message}`;
    if (this.#seen.has(key)) return;
    this.#seen.add(key);
    this.#all.push(one);
  }

  report(code: DiagnosticCode, span: Span, message: string, hint?: string): void {
    this.add(diagnostic(code, span, message, hint));
  }

  all(): readonly Diagnostic[] {
    return this.#all;
  }
}
