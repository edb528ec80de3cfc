import type { FormatOptions } from "../diagnostics/format-diagnostics.ts";
import { formatPlace, sourceLines } from "../diagnostics/format-diagnostics.ts";
import { printable } from "../printable.ts";
import type { Finding } from "./finding.ts";
import { witnessText } from "./witness-text.ts";

const COLORS: Readonly<Record<Finding["severity"], number>> = { error: 31, warning: 33, note: 36 };
const MAX_TEXT = 1000;

/**
 * Prints findings for people, in the look of `formatDiagnostics`: place, severity, message and id, the line with a caret,
 * then why it matters, a request that shows it, related places and what to do. Ends in a newline unless there is nothing.
 */
export function formatFindings(findings: readonly Finding[], { files, color }: FormatOptions): string {
  const linesOf = sourceLines(files);
  const paint = (text: string, sgr: number): string => (color ? `\u001b[${sgr}m${text}\u001b[0m` : text);
  return findings
    .map((one) => {
      const sgr = COLORS[one.severity];
      const label = `${paint(one.severity, sgr)}: ${printable(one.message, MAX_TEXT)} [${one.id}]`;
      const placed =
        one.span === undefined ? [label] : formatPlace(one.span, label, { line: linesOf(one.span), paint, sgr });
      const gutter = " ".repeat(String(one.span?.line ?? 1).length);
      const notes = notesOf(one).map(([name, text]) => `${gutter}   ${paint(`${name}:`, 36)} ${text}`);
      return `${[...placed, ...notes].join("\n")}\n`;
    })
    .join("");
}

function notesOf({ reason, witness, related = [], remedy }: Finding): readonly (readonly [string, string])[] {
  return [
    ["why", printable(reason, MAX_TEXT)],
    ...(witness === undefined ? [] : [["witness", witnessText(witness)] as const]),
    ...related.map(
      ({ span, message }) =>
        ["see", `${printable(span.file, 1024)}:${span.line}:${span.column}: ${printable(message, MAX_TEXT)}`] as const,
    ),
    ...(remedy === undefined ? [] : [["remedy", printable(remedy, MAX_TEXT)] as const]),
  ];
}
