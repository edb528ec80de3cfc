import type { Span } from "../model/index.ts";

/** One policy file: turns offsets into places. Columns count UTF-16 units from 1, as editors and the language server protocol do. */
export interface SourceText {
  readonly file: string;
  /** Without a byte order mark. */
  readonly text: string;
  /** The place of `[start, end)`, offsets into `text`. */
  span(start: number, end: number): Span;
}

/** Reads a file's text; a byte order mark at its start is dropped. */
export function sourceText(file: string, raw: string): SourceText {
  const text = raw.startsWith("\ufeff") ? raw.slice(1) : raw;
  const starts = lineStarts(text);
  return {
    file,
    text,
    span(start, end) {
      const from = place(starts, Math.min(start, text.length));
      const to = place(starts, Math.min(Math.max(end, start), text.length));
      return { file, line: from.line, column: from.column, endLine: to.line, endColumn: to.column };
    },
  };
}

function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

function place(starts: readonly number[], offset: number): { readonly line: number; readonly column: number } {
  let [low, high] = [0, starts.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if ((starts[middle] ?? 0) <= offset) low = middle;
    else high = middle - 1;
  }
  return { line: low + 1, column: offset - (starts[low] ?? 0) + 1 };
}
