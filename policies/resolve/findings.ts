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

  /** Everything, in order of files (`order` first, then as found) and of places in them. */
  all(order: readonly string[] = []): readonly Diagnostic[] {
    const rank = new Map<string, number>();
    for (const file of [...order, ...this.#all.map(({ span }) => span.file)])
      if (!rank.has(file)) rank.set(file, rank.size);
    const rankOf = ({ span }: Diagnostic): number => rank.get(span.file) ?? rank.size;
    return this.#all.toSorted(
      (a, b) => rankOf(a) - rankOf(b) || a.span.line - b.span.line || a.span.column - b.span.column,
    );
  }
}
