import type { Behaviour } from "../../envoy/lint/index.ts";
import type { Io, Output } from "../io.ts";
import { columns, count, json, lines, paint } from "../screen.ts";
import type { SeenRefusals } from "./seen-refusals.ts";
import type { Verdict } from "./verdict.ts";

/** What a sidecar does by itself, of one workload. */
export interface SidecarBehaviour extends Behaviour {
  readonly workload: string;
}

/** What the doctor found. */
export interface Report {
  readonly verdicts: readonly Verdict[];
  readonly behaviours: readonly SidecarBehaviour[];
  readonly seen: readonly SeenRefusals[];
}

/** Prints a report. */
export function printDoctor(report: Report, form: "text" | "json", io: Io): void {
  if (form === "json") {
    const ok = report.verdicts.every(({ state }) => state !== "error" && state !== "warning");
    json(io.stdout, { ok, ...report });
    return;
  }
  lines(io.stdout, ...report.verdicts.flatMap((one) => verdictLines(one, io.stdout)));
  for (const alike of grouped(report.behaviours)) lines(io.stdout, "", ...behaviourLines(alike, io.stdout));
  if (report.seen.length > 0)
    lines(
      io.stdout,
      "",
      paint(io.stdout, "bold", "seen in the decision log: refused by sidecars themselves, in monitor mode too"),
      ...columns(report.seen.map(seenRow)),
    );
  lines(io.stdout, "", summary(report.verdicts, io.stdout));
}

const STYLES = { ok: "green", note: "dim", warning: "yellow", error: "red", skipped: "dim" } as const;

function verdictLines({ id, state, subject, message, remedy }: Verdict, output: Output): readonly string[] {
  const head = `${paint(output, STYLES[state], state.padEnd(7))}  ${subject}: ${message} [${id}]`;
  return remedy === undefined || state === "ok"
    ? [head]
    : [head, `         ${paint(output, "dim", "remedy:")} ${remedy}`];
}

/** Most sidecars do the same, and it is said once. */
function grouped(behaviours: readonly SidecarBehaviour[]): readonly (readonly SidecarBehaviour[])[] {
  const groups = new Map<string, readonly SidecarBehaviour[]>();
  for (const one of behaviours) {
    const key = JSON.stringify([one.refuses, one.changes, one.ends]);
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()];
}

function behaviourLines(alike: readonly SidecarBehaviour[], output: Output): readonly string[] {
  const [first] = alike;
  if (first === undefined) return [];
  const { refuses, changes, ends } = first;
  const where = alike.map(
    ({ workload, listener, port }) => `${workload} ${port === undefined ? listener : `port ${port}`}`,
  );
  return [
    paint(
      output,
      "bold",
      `what a sidecar does by itself, whatever the policies and their mode say: ${where.join(", ")}`,
    ),
    ...columns([
      ...refuses.map(({ what, status }) => ["refuses", String(status), what]),
      ...changes.map((what) => ["changes", "", what]),
      ...ends.map((what) => ["ends", "", what]),
    ]),
  ];
}

function seenRow({ workload, kind, reason, count: times, last }: SeenRefusals): readonly string[] {
  return [workload, `${times} x`, kind, reason, `last ${last}`];
}

function summary(verdicts: readonly Verdict[], output: Output): string {
  const of = (state: Verdict["state"]): number => verdicts.filter((one) => one.state === state).length;
  const [errors, warnings] = [of("error"), of("warning")];
  if (errors + warnings === 0) return `${paint(output, "green", "ok")}: ${count(verdicts.length, "thing")} looked at`;
  const parts = [
    ...(errors > 0 ? [paint(output, "red", count(errors, "error"))] : []),
    ...(warnings > 0 ? [paint(output, "yellow", count(warnings, "warning"))] : []),
  ];
  return parts.join(", ");
}
