import { printable } from "../printable.ts";
import { isBroader } from "./direction.ts";
import type { DestinationDiff, DiffReport } from "./report.ts";
import { type Change, changesOf, headline, settingLines, witnessLine } from "./summary.ts";

/** Options of `diffMarkdown`. */
export interface MarkdownOptions {
  /** How many characters there may be; a comment on GitHub takes 65,536. */
  readonly maxChars?: number;
}

const MAX_CHARS = 60_000;
const SHOWN_CALLERS = 6;

/** A report as a comment on a pull request. Ends with a newline. */
export function diffMarkdown(report: DiffReport, { maxChars = MAX_CHARS }: MarkdownOptions = {}): string {
  const order = [...report.destinations].sort(
    (left, right) => Number(isBroader(right.direction)) - Number(isBroader(left.direction)),
  );
  const blocks = [
    `## Policies: ${report.direction}`,
    `${headline(report)}.`,
    settingLines(report, code)
      .map((line) => `- ${line}`)
      .join("\n"),
    report.notes.map((note) => `> inexact: ${code(note)}`).join("\n>\n"),
    ...order.map(destinationBlock),
  ].filter((block) => block !== "");
  return fitted(blocks, maxChars);
}

/**
 * Foreign text as a code span.
 *
 * SECURITY: within a code span nothing is markup, a mention or a link; the fence is longer than every run of backticks in
 * the text, and line breaks, which would end a list, are escaped by `printable`.
 */
export function code(text: string): string {
  const safe = printable(text, 1_000);
  const longest = Math.max(0, ...[...safe.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = "`".repeat(longest + 1);
  const pad = /^[` ]|[` ]$/.test(safe) || safe === "" ? " " : "";
  return `${fence}${pad}${safe}${pad}${fence}`;
}

function destinationBlock(destination: DestinationDiff): string {
  const idle = destination.lines.filter(({ direction }) => direction === "equivalent");
  const changes = changesOf(destination);
  if (idle.length === 0 && changes.length === 0) return "";
  return [
    `### ${code(destination.destination)}: ${destination.direction}`,
    "",
    ...changes.map(changeItem),
    ...idle.map(({ id, change }) => `- equivalent: ${code(id)} was ${change} and changes nothing`),
  ].join("\n");
}

function changeItem({ claim, callers, lines, witness }: Change): string {
  const cause = lines.map(({ id, change }) => `${code(id)} was ${change}`).join(", ");
  return [
    `- **${claim}** for ${namesOf(callers)}${cause === "" ? "" : `: ${cause}`}`,
    `  - ${code(witnessLine(witness))}`,
  ].join("\n");
}

function namesOf(callers: readonly string[]): string {
  const shown = callers.slice(0, SHOWN_CALLERS).map(code);
  const more = callers.length - shown.length;
  return more > 0 ? `${shown.join(", ")} and ${more} more` : shown.join(", ");
}

/** As many whole blocks as fit; what allows more comes first, so that it is never what is left out. */
function fitted(blocks: readonly string[], maxChars: number): string {
  let text = "";
  for (const [index, block] of blocks.entries()) {
    const rest = blocks.length - index;
    const note = `\n… ${rest} more ${rest === 1 ? "section" : "sections"}; \`cellwall diff\` shows all.\n`;
    if (text.length + block.length + note.length + 2 > maxChars) return text === "" ? note : text + note;
    text += `${text === "" ? "" : "\n"}${block}\n`;
  }
  return text;
}
