import type { Output } from "./io.ts";

type Style = "bold" | "dim" | "red" | "green" | "yellow";

const CODES: Readonly<Record<Style, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
};

/** The text in a style, where the output takes escape sequences. */
export function paint(output: Pick<Output, "color">, style: Style, text: string): string {
  const [on, off] = CODES[style];
  return output.color ? `\u001b[${on}m${text}\u001b[${off}m` : text;
}

/** Writes lines, each ended. */
export function lines(output: Output, ...texts: readonly string[]): void {
  for (const text of texts) output.write(`${text}\n`);
}

/** Writes a value as indented JSON. */
export function json(output: Output, value: unknown): void {
  output.write(`${JSON.stringify(value, undefined, 2)}\n`);
}

/** Rows in columns, two spaces apart, each as wide as its widest cell; the last one is not padded. */
export function columns(rows: readonly (readonly string[])[], indent = "  "): readonly string[] {
  const widths: number[] = [];
  for (const row of rows)
    row.forEach((cell, at) => {
      widths[at] = Math.max(widths[at] ?? 0, cell.length);
    });
  return rows.map((row) => {
    const cells = row.map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0)));
    return `${indent}${cells.join("  ")}`.trimEnd();
  });
}

/** `1 workload`, `2 workloads`, `2 policies`. */
export function count(number: number, singular: string, plural = `${singular}s`): string {
  return `${number} ${number === 1 ? singular : plural}`;
}

/** How long ago, in one unit: `3 s`, `5 min`, `2 h`, `4 d`. */
export function age(from: Date, now: Date): string {
  const seconds = Math.max(0, Math.round((now.getTime() - from.getTime()) / 1000));
  if (seconds < 120) return `${seconds} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`;
}
