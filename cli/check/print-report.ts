import { formatDiagnostics } from "../../policies/diagnostics/index.ts";
import { findingsJson, formatFindings, suiteOf, toJUnit, toSarif } from "../../policies/findings/index.ts";
import type { PolicySet } from "../../policies/index.ts";
import type { Io } from "../io.ts";
import { packageVersion } from "../package-version.ts";
import type { PolicyText } from "../policy-folder.ts";
import { count, json, lines, paint } from "../screen.ts";
import { type CheckReport, countsOf, diagnosticFindings } from "./report.ts";

/** The forms that findings are written in. */
export const FORMS = ["text", "json", "sarif", "junit"] as const;
export type Form = (typeof FORMS)[number];

/** Prints a report in a form. */
export function printReport(report: CheckReport, form: Form, io: Io): void {
  switch (form) {
    case "text":
      printText(report, io);
      return;
    case "json":
      json(io.stdout, jsonOf(report));
      return;
    case "sarif":
      json(io.stdout, sarifOf(report));
      return;
    case "junit":
      io.stdout.write(junitOf(report));
      return;
    default:
      form satisfies never;
  }
}

function jsonOf(report: CheckReport): unknown {
  const { files, set, diagnostics, findings, suppressed, passes } = report;
  const counts = countsOf(report);
  return {
    ok: counts.errors === 0,
    files: files.map(({ path }) => path),
    workloads: set.workloads.length,
    policies: set.policies.length,
    requestLines: requestLines(set),
    ...findingsJson(findings, suppressed),
    ...counts,
    diagnostics,
    passes: Object.fromEntries(
      [...passes].map(([name, { summary, details }]) => [
        name,
        { summary, ...(details === undefined ? {} : { details }) },
      ]),
    ),
  };
}

function sarifOf({ diagnostics, findings, suppressed }: CheckReport): unknown {
  return toSarif([...diagnosticFindings(diagnostics), ...findings], { version: packageVersion(), suppressed });
}

function junitOf({ diagnostics, findings, passes }: CheckReport): string {
  const ofPasses = new Set([...passes.values()].flatMap((pass) => pass.findings));
  const others = findings.filter((one) => !ofPasses.has(one));
  return toJUnit([
    suiteOf("policies", [...diagnosticFindings(diagnostics), ...others]),
    ...[...passes].flatMap(([name, pass]) => pass.suites ?? [suiteOf(name, pass.findings)]),
  ]);
}

function printText(report: CheckReport, io: Io): void {
  const { files, diagnostics, findings, suppressed, passes, set } = report;
  const color = io.stdout.color;
  if (diagnostics.length > 0) lines(io.stdout, formatDiagnostics(diagnostics, { files, color }).trimEnd(), "");
  if (findings.length > 0) lines(io.stdout, formatFindings(findings, { files, color }).trimEnd(), "");
  for (const [name, { summary }] of passes) if (summary !== undefined) lines(io.stdout, `${name}: ${summary}`);
  lines(io.stdout, `${verdictOf(report, io)}${suppressedText(suppressed.length)}: ${sizes(files, set)}`);
}

function verdictOf(report: CheckReport, io: Io): string {
  const { errors, warnings, notes } = countsOf(report);
  return [
    ...(errors + warnings === 0 ? [paint(io.stdout, "green", "ok")] : []),
    ...(errors === 0 ? [] : [paint(io.stdout, "red", count(errors, "error"))]),
    ...(warnings === 0 ? [] : [count(warnings, "warning")]),
    ...(notes === 0 ? [] : [count(notes, "note")]),
  ].join(", ");
}

function suppressedText(suppressed: number): string {
  return suppressed === 0 ? "" : `, ${suppressed} suppressed`;
}

function sizes(files: readonly PolicyText[], set: PolicySet): string {
  return [
    count(files.length, "file"),
    count(set.workloads.length, "workload"),
    count(set.policies.length, "policy", "policies"),
    count(requestLines(set), "request line"),
  ].join(", ");
}

function requestLines({ policies }: PolicySet): number {
  const rules = policies.flatMap((policy) => [...policy.allow, ...policy.deny]);
  return rules.reduce((sum, rule) => sum + (rule.requests?.length ?? 1), 0);
}
