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
  const lines = new Lines(text);
  return {
    file,
    text,
    span(start, end) {
      const from = Math.min(start, text.length);
      const to = Math.min(Math.max(end, start), text.length);
      const [line, endLine] = [lines.at(from), lines.at(to)];
      const column = from - lines.startOf(line) + 1;
      return { file, line, column, endLine, endColumn: to - lines.startOf(endLine) + 1 };
    },
  };
}

/** Where lines begin. Places are asked for in order of the text, mostly, so that the line is found next to the last one. */
class Lines {
  readonly #starts: readonly number[];
  #last = 0;

  constructor(text: string) {
    this.#starts = lineStarts(text);
  }

  /** Offset of a line's first character; lines count from 1. */
  startOf(line: number): number {
    return this.#starts[line - 1] ?? 0;
  }

  /** The line that an offset is in. */
  at(offset: number): number {
    if (!this.#holds(this.#last, offset)) {
      const isNext = this.#holds(this.#last + 1, offset);
      this.#last = isNext ? this.#last + 1 : this.#search(offset);
    }
    return this.#last + 1;
  }

  #holds(index: number, offset: number): boolean {
    const start = this.#starts[index];
    return start !== undefined && start <= offset && offset < (this.#starts[index + 1] ?? Number.POSITIVE_INFINITY);
  }

  #search(offset: number): number {
    let [low, high] = [0, this.#starts.length - 1];
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

function lineStarts(text: string): readonly number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}
