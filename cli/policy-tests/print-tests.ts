import {
  type Coverage,
  type Finding,
  formatFindings,
  type MutationReport,
  missingText,
  printable,
  type TestReport,
  toJUnit,
  toSarif,
} from "../../policies/index.ts";
import type { Io, Output } from "../io.ts";
import { packageVersion } from "../package-version.ts";
import type { PolicyText } from "../policy-folder.ts";
import { count, json, lines, paint } from "../screen.ts";
import { testSuites } from "./test-suites.ts";

/** Everything that `cellwall test` found out. */
export interface TestRun {
  readonly tests: TestReport;
  /** Absent where mutants were not asked for, or tests failed. */
  readonly mutation: MutationReport | undefined;
  readonly ok: boolean;
  readonly minScore: number | undefined;
  readonly files: readonly PolicyText[];
}

export type TestOutput = "text" | "json" | "junit" | "sarif";

/** Writes a run in one of its forms. */
export function printTests(run: TestRun, form: TestOutput, { stdout }: Io): void {
  if (form === "text") printText(run, stdout);
  else if (form === "json") json(stdout, report(run));
  else if (form === "junit") stdout.write(toJUnit(testSuites(run.tests, run.mutation)));
  else json(stdout, toSarif(findingsOf(run), { version: packageVersion() }));
}

function findingsOf({ tests, mutation }: TestRun): readonly Finding[] {
  return [...tests.findings, ...(mutation?.findings ?? [])];
}

function printText(run: TestRun, output: Output): void {
  const { tests, mutation, files } = run;
  const told = findingsOf(run).filter(({ id }) => id !== "test-uncovered");
  if (told.length > 0) output.write(`${formatFindings(told, { files, color: output.color })}\n`);
  printUncovered(tests.coverage, output);
  const failed = tests.failed === 0 ? "" : `, ${tests.failed} failed`;
  const relaxed = tests.relaxed === 0 ? "" : `, ${tests.relaxed} let through by monitor mode`;
  const verdict = run.ok ? paint(output, "green", "ok") : paint(output, "red", "not ok");
  const { percent, seen, total } = tests.coverage;
  lines(
    output,
    `${verdict}: ${ranText(tests)}${failed}${relaxed}, coverage ${percent} % (${seen} of ${total})`,
    ...(mutation === undefined ? [] : [mutationLine(mutation, run.minScore)]),
  );
}

function ranText({ results, passed }: TestReport): string {
  return results.length === 0 ? "no case was run, for the set has no PolicyTest" : `${count(passed, "case")} passed`;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function mutationLine({ score, killed, survived, equivalent, untried }: MutationReport, least = 0): string {
  const left = untried === 0 ? "" : `, ${untried} not tried for lack of time`;
  const asked = score < least ? `, and ${least} % are asked for` : "";
  return `mutants: ${score} % killed${asked} (${killed} killed, ${survived.length} survived, ${equivalent} equivalent${left})`;
}

function printUncovered({ items }: Coverage, output: Output): void {
  const open = items
    .filter(({ needs, seen }) => seen.length < needs.length)
    .toSorted(({ span: a }, { span: b }) => compareText(a.file, b.file) || a.line - b.line || a.column - b.column);
  if (open.length === 0) return;
  lines(
    output,
    paint(output, "bold", "not covered:"),
    ...open.map((item) => {
      const { file, line, column } = item.span;
      return `  ${printable(file, 1_024)}:${line}:${column}: ${item.rule}: ${missingText(item)}`;
    }),
    "",
  );
}

function report({ tests, mutation, ok }: TestRun): unknown {
  const { results, passed, failed, relaxed, coverage, findings } = tests;
  return {
    ok,
    passed,
    failed,
    relaxed,
    cases: results.map(({ case: each, got, wrong }) => ({
      test: each.test,
      title: each.title,
      span: each.span,
      passed: wrong.length === 0,
      expected: each.expected,
      got,
    })),
    coverage,
    ...(mutation === undefined ? {} : { mutation: mutationReport(mutation) }),
    findings: [...findings, ...(mutation?.findings ?? [])],
  };
}

function mutationReport({ score, killed, survived, equivalent, untried }: MutationReport): unknown {
  return {
    score,
    killed,
    survived: survived.map(({ mutant: { operator, of, text, span } }) => ({ operator, of, text, span })),
    equivalent,
    untried,
  };
}
