import { printable } from "../printable.ts";
import type { DestinationDiff, DiffReport } from "./report.ts";
import { type Change, changesOf, headline, settingLines, witnessLine } from "./summary.ts";

const SHOWN_CALLERS = 6;

/** A report for a terminal; foreign text is made printable. Ends without a newline. */
export function diffText(report: DiffReport): string {
  const settings = settingLines(report, (name) => `\`${printable(name)}\``);
  return [
    `${report.direction}: ${headline(report)}`,
    ...settings.map((line) => `  ${line}`),
    ...report.destinations.flatMap(destinationLines),
    ...report.notes.map((note) => `inexact: ${printable(note)}`),
  ].join("\n");
}

function destinationLines(destination: DestinationDiff): readonly string[] {
  const idle = destination.lines.filter(({ direction }) => direction === "equivalent");
  const changes = changesOf(destination);
  if (idle.length === 0 && changes.length === 0) return [];
  return [
    "",
    `${printable(destination.destination)}: ${destination.direction}`,
    ...changes.flatMap(changeLines),
    ...idle.map(({ id, change }) => `  equivalent ${change} ${printable(id)}`),
  ];
}

function changeLines({ claim, callers, lines, witness }: Change): readonly string[] {
  const cause = lines.map(({ id, change }) => `${change} ${printable(id)}`).join(", ");
  return [
    `  ${claim.padEnd(10)} ${cause === "" ? "by settings alone" : cause}`,
    `             for ${namesOf(callers)}`,
    `             e.g. ${witnessLine(witness)}`,
  ];
}

function namesOf(callers: readonly string[]): string {
  const shown = callers.slice(0, SHOWN_CALLERS).map((name) => printable(name));
  const more = callers.length - shown.length;
  return more > 0 ? `${shown.join(", ")} and ${more} more` : shown.join(", ");
}
