import type { Finding, Step } from "./step.ts";

/** Colours and width of the place that a report goes to. */
export interface Paper {
  readonly write: (text: string) => void;
  readonly color: boolean;
  readonly columns: number;
}

const MARKS: Readonly<Record<Finding["outcome"], { readonly sign: string; readonly code: number }>> = {
  "as-expected": { sign: "ok", code: 32 },
  unexpected: { sign: "FAIL", code: 31 },
  "not-isolated": { sign: "open", code: 33 },
};

/** One line of the table: what was done, by whom, what happened and why. */
export interface Row {
  readonly step: Step;
  readonly finding: Finding;
}

/** Prints one row as it happens. */
export function printRow(paper: Paper, { step, finding }: Row): void {
  const mark = MARKS[finding.outcome];
  const sign = tint(paper, mark.code, mark.sign.padEnd(4));
  const what = `${step.actor.padEnd(8)} ${step.title}`;
  paper.write(
    `  ${sign}  ${what}\n        ${" ".repeat(8)} ${tint(paper, 2, `${finding.happened} · ${finding.reason}`)}\n`,
  );
}

/** Prints a chapter's heading. */
export function printHeading(paper: Paper, title: string): void {
  paper.write(`\n${tint(paper, 1, title)}\n`);
}

/** Prints the summary table: one line a step, with the verdict and its reason. */
export function printTable(paper: Paper, rows: readonly Row[]): void {
  printHeading(paper, "Summary");
  const width = Math.min(64, Math.max(...rows.map((row) => row.step.title.length)));
  for (const { step, finding } of rows) {
    const mark = MARKS[finding.outcome];
    const title = cut(step.title, width).padEnd(width);
    const reason = cut(finding.reason, Math.max(20, paper.columns - width - 40));
    paper.write(
      `  ${tint(paper, mark.code, mark.sign.padEnd(4))} ${step.actor.padEnd(8)} ${title}  ${cut(finding.happened, 18).padEnd(18)} ${reason}\n`,
    );
  }
  paper.write(`\n  ${counts(rows)}\n`);
}

/** `27 as expected, 0 otherwise, 3 that one user id can't isolate`. */
export function counts(rows: readonly Row[]): string {
  const of = (outcome: Finding["outcome"]): number => rows.filter((row) => row.finding.outcome === outcome).length;
  const open = of("not-isolated");
  const rest = open === 0 ? "" : `, ${open} open: one user id is one trust zone, as with any processes of one user`;
  return `${of("as-expected")} as expected, ${of("unexpected")} otherwise${rest}`;
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}

function tint(paper: Paper, code: number, text: string): string {
  return paper.color ? `\u001b[${code}m${text}\u001b[0m` : text;
}
