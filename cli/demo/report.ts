import type { Output } from "../io.ts";
import { paint } from "../screen.ts";
import type { Finding } from "./step.ts";

const MARKS: Readonly<
  Record<Finding["outcome"], { readonly sign: string; readonly style: "green" | "red" | "yellow" }>
> = {
  "as-expected": { sign: "ok", style: "green" },
  unexpected: { sign: "FAIL", style: "red" },
  "not-isolated": { sign: "open", style: "yellow" },
};

const MIN_ACTOR_COLUMNS = 8;
const TITLE_COLUMNS = 60;
const HAPPENED_COLUMNS = 18;
const REASON_COLUMNS = 44;

/** One line of the table: what was done, by whom, what happened and why. */
export interface Row {
  readonly chapter: string;
  readonly actor: string;
  readonly title: string;
  readonly finding: Finding;
}

/** How wide the column of those who act is. */
export function actorColumns(rows: readonly { readonly actor: string }[]): number {
  return Math.max(MIN_ACTOR_COLUMNS, ...rows.map(({ actor }) => actor.length));
}

/** Prints a chapter's heading. */
export function printHeading(output: Output, title: string): void {
  output.write(`\n${paint(output, "bold", title)}\n`);
}

/** Prints one row as it happens: what was tried, and below it what came of it. */
export function printRow(output: Output, { actor, title, finding }: Row, actorColumns: number): void {
  output.write(`  ${sign(output, finding)}  ${actor.padEnd(actorColumns)}  ${title}\n`);
  output.write(`${" ".repeat(10 + actorColumns)}${paint(output, "dim", `${finding.happened} · ${finding.reason}`)}\n`);
}

/** Prints the summary table: one line a step, with what happened and why. */
export function printTable(output: Output, rows: readonly Row[]): void {
  printHeading(output, "Summary");
  const columns = actorColumns(rows);
  for (const { actor, title: whole, finding } of rows) {
    const title = cut(whole, TITLE_COLUMNS).padEnd(TITLE_COLUMNS);
    const happened = cut(finding.happened, HAPPENED_COLUMNS).padEnd(HAPPENED_COLUMNS);
    const who = actor.padEnd(columns);
    output.write(`  ${sign(output, finding)}  ${who}  ${title}  ${happened}  ${reasonWord(finding)}\n`);
  }
  output.write(`\n  ${counts(rows)}\n`);
}

/** `27 as expected, 0 otherwise, 3 open: …`. */
export function counts(rows: readonly Row[]): string {
  const of = (outcome: Finding["outcome"]): number => rows.filter((row) => row.finding.outcome === outcome).length;
  const summary = `${of("as-expected")} as expected, ${of("unexpected")} otherwise`;
  if (of("not-isolated") === 0) return summary;
  return `${summary}, ${of("not-isolated")} open: all processes here run under one user id, which is one trust zone;
  give each workload its own user id or container and these are refused as well`;
}

/** The reason without what stands behind its colon, which the scenario has already told: `denied-by-rule`, `plaintext`. */
function reasonWord(finding: Finding): string {
  const told = finding.reason.replace(/^refused by the sidecar: /, "");
  return finding.outcome === "unexpected" ? finding.reason : cut(told.split(": ")[0] ?? told, REASON_COLUMNS);
}

function sign(output: Output, finding: Finding): string {
  const mark = MARKS[finding.outcome];
  return paint(output, mark.style, mark.sign.padEnd(4));
}

function cut(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
