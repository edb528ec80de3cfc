import type { Diagnostic, Severity, Span } from "../model/index.ts";
import { printable } from "../printable.ts";
import { columnsOf } from "./columns.ts";

/** Where the texts are, and whether the output is for a terminal that knows colours. */
export interface FormatOptions {
  readonly files: readonly { readonly path: string; readonly text: string }[];
  readonly color: boolean;
}

const COLORS: Readonly<Record<Severity, number>> = { error: 31, warning: 33, info: 36 };
const MAX_LINE = 160;
const MAX_MESSAGE = 1000;

/**
 * Prints findings for people: `file:line:col: severity: message [CODE]`, the line, a caret under the place, the hint.
 * Every foreign character is made printable. Ends in a newline unless there is nothing to print.
 */
export function formatDiagnostics(diagnostics: readonly Diagnostic[], { files, color }: FormatOptions): string {
  const lineOf = sourceLines(files);
  return diagnostics.map((one) => formatOne(one, lineOf(one.span), color)).join("");
}

/** Looks up the source line that a span begins in; undefined where the file or the line is not there. */
export function sourceLines(files: FormatOptions["files"]): (span: Span) => string | undefined {
  const lines = new Map<string, readonly string[]>();
  return ({ file, line }) => {
    const known =
      lines.get(file) ?? split(files.find(({ path }) => printable(path, 1024) === file || path === file)?.text);
    lines.set(file, known);
    return known[line - 1];
  };
}

function split(text: string | undefined): readonly string[] {
  return text === undefined ? [] : text.replace(/^\ufeff/, "").split(/\r?\n/);
}

function formatOne(
  { severity, code, span, message, hint }: Diagnostic,
  line: string | undefined,
  color: boolean,
): string {
  const paint = (text: string, sgr: number): string => (color ? `\u001b[${sgr}m${text}\u001b[0m` : text);
  const label = `${paint(severity, COLORS[severity])}: ${printable(message, MAX_MESSAGE)} [${code}]`;
  const gutter = " ".repeat(String(span.line).length);
  const hints = hint === undefined ? [] : [`${gutter}   ${paint("hint:", 36)} ${printable(hint, MAX_MESSAGE)}`];
  return `${[...formatPlace(span, label, { line, paint, sgr: COLORS[severity] }), ...hints].join("\n")}\n`;
}

/** How a place is shown. */
export interface PlaceOptions {
  /** The source line; absent where it is not known. */
  readonly line: string | undefined;
  readonly paint: Paint;
  /** Colour of the caret. */
  readonly sgr: number;
}

/** `file:line:col: label`, then the source line and a caret under the place. */
export function formatPlace(span: Span, label: string, { line, paint, sgr }: PlaceOptions): readonly string[] {
  const place = `${printable(span.file, 1024)}:${span.line}:${span.column}`;
  return [`${paint(place, 1)}: ${label}`, ...excerpt(span, line, paint, sgr)];
}

/** Puts a text into a terminal colour, or leaves it as it is. */
export type Paint = (text: string, sgr: number) => string;

/** The source line and the caret under it; of a long line the part around the place. */
function excerpt(span: Span, line: string | undefined, paint: Paint, sgr: number): readonly string[] {
  if (line === undefined) return [];
  const start = span.column - 1;
  const end = Math.max(start + 1, span.endLine === span.line ? span.endColumn - 1 : line.trimEnd().length);
  const from = start > MAX_LINE - 20 ? start - 40 : 0;
  const shown = line.slice(from, from + MAX_LINE);
  const before = columnsOf(shown.slice(0, start - from));
  const marked = columnsOf(shown.slice(start - from, Math.min(end - from, MAX_LINE)), before.width);
  const after = columnsOf(shown.slice(Math.min(end - from, MAX_LINE)), before.width + marked.width);
  const text = `${from > 0 ? "…" : ""}${before.text}${marked.text}${after.text}${line.length > from + MAX_LINE ? "…" : ""}`;
  const indent = " ".repeat(before.width + (from > 0 ? 1 : 0));
  return [
    ` ${span.line} | ${text}`,
    ` ${" ".repeat(String(span.line).length)} | ${indent}${paint("^".repeat(Math.max(1, marked.width)), sgr)}`,
  ];
}
