import { printable } from "../printable.ts";
import { CHANGE_KINDS, type ChangeGroup, type ChangeKind, type SimulationReport } from "./report.ts";

const TITLES: Readonly<Record<ChangeKind, string>> = {
  "newly-denied": "newly denied",
  "newly-allowed": "newly allowed",
  undecidable: "undecidable",
  unchanged: "unchanged",
};

/** Kinds whose groups are told; of the others the number is enough. */
const TOLD = CHANGE_KINDS.filter((kind) => kind !== "unchanged");

/** A report as lines for a terminal, foreign text escaped; at most `most` groups of a kind. */
export function formatSimulation(report: SimulationReport, most = 50): string {
  const parts = [headline(report)];
  for (const kind of TOLD) {
    const groups = report.groups.filter(({ change }) => change === kind);
    if (groups.length === 0) continue;
    parts.push("", `${TITLES[kind]}: ${number(report.counts[kind])}`);
    for (const group of groups.slice(0, most)) parts.push(...groupLines(group));
    if (groups.length > most) parts.push(`  and ${count(groups.length - most, "more group")}`);
  }
  return `${parts.join("\n")}\n`;
}

/** A report as Markdown, fit for a comment on a change. */
export function formatSimulationMarkdown(report: SimulationReport, most = 20): string {
  const parts = [
    "### Simulation over recorded decisions",
    "",
    "| newly denied | newly allowed | undecidable | unchanged | decisions |",
    "|---:|---:|---:|---:|---:|",
    `| ${[...CHANGE_KINDS.map((kind) => report.counts[kind]), report.decisions].map(number).join(" | ")} |`,
  ];
  for (const kind of TOLD) parts.push(...markdownTable(report, kind, most));
  const rest = notes(report);
  return `${[...parts, ...(rest === "" ? [] : ["", rest])].join("\n")}\n`;
}

function markdownTable(report: SimulationReport, kind: ChangeKind, most: number): readonly string[] {
  const groups = report.groups.filter(({ change }) => change === kind);
  if (groups.length === 0) return [];
  const rows = groups.slice(0, most).map((group) => {
    const why = group.why.length > 0 ? group.why.join(", ") : reasonText(group);
    const cells = [number(group.count), callerText(group), group.destination, requestText(group), why, seen(group)];
    return `| ${cells.map(cell).join(" | ")} |`;
  });
  const more = groups.length > most ? ["", `and ${count(groups.length - most, "more group")}`] : [];
  const head = ["| count | from | to | request | why | seen |", "|---:|---|---|---|---|---|"];
  return ["", `**${TITLES[kind]}**`, "", ...head, ...rows, ...more];
}

function cell(text: string): string {
  return printable(text, 512).replace(/[\\|<>]/g, (character) => `\\${character}`);
}

function headline(report: SimulationReport): string {
  const counts = CHANGE_KINDS.map((kind) => `${number(report.counts[kind])} ${TITLES[kind]}`).join(", ");
  const { firstSeen, lastSeen } = report;
  const span = firstSeen === undefined ? "" : ` from ${printable(firstSeen)} to ${printable(lastSeen ?? firstSeen)}`;
  const rest = notes(report);
  return `${count(report.decisions, "decision")}${span}: ${counts}${rest === "" ? "" : `\n${rest}`}`;
}

function notes({ skipped, folded }: SimulationReport): string {
  return [
    skipped.unreadable === 0 ? "" : `passed over, since they are no records: ${count(skipped.unreadable, "line")}`,
    skipped.other === 0 ? "" : `passed over, since the sidecar itself refused: ${count(skipped.other, "record")}`,
    folded ? "there are many different paths: some stand together as /**" : "",
  ]
    .filter((text) => text !== "")
    .join("\n");
}

function groupLines(group: ChangeGroup): readonly string[] {
  const lines = [`  ${number(group.count)}x ${callerText(group)} -> ${group.destination}  ${requestText(group)}`];
  lines.push(`     was ${group.before.verdict}: ${group.before.line ?? group.before.reason}${monitored(group)}`);
  if (group.change === "undecidable") lines.push(`     depends on ${group.why.join(", ")}${atLine(group)}`);
  else lines.push(`     now ${group.after.verdict ?? ""}: ${reasonText(group)}`);
  lines.push(`     seen ${seen(group)}, e.g. decision ${group.example.id}`);
  return lines.map((line) => printable(line, 1_024));
}

/** An allow without a line that allows: what the policies denied was let through. */
function monitored({ before }: ChangeGroup): string {
  return before.verdict === "allow" && before.reason !== "allowed-by-rule" ? ", let through by monitor mode" : "";
}

function atLine({ after }: ChangeGroup): string {
  return after.line === undefined ? "" : `, at ${after.line}`;
}

function reasonText({ after }: ChangeGroup): string {
  return after.line ?? after.reason ?? "one reason or another";
}

function callerText({ caller }: ChangeGroup): string {
  return caller ?? "no identity";
}

function requestText({ method, template, port }: ChangeGroup): string {
  return method === undefined ? `tcp ${port}` : `${method} ${template ?? "(a path that was refused)"}`;
}

function seen({ firstSeen, lastSeen }: ChangeGroup): string {
  return firstSeen === lastSeen ? firstSeen : `${firstSeen} to ${lastSeen}`;
}

function count(value: number, one: string): string {
  return `${number(value)} ${one}${value === 1 ? "" : "s"}`;
}

function number(value: number): string {
  return value.toLocaleString("en-US");
}
