import { printable } from "../printable.ts";
import type { Finding } from "./finding.ts";
import { witnessText } from "./witness-text.ts";

/** One case of a JUnit report. */
export interface JUnitCase {
  readonly name: string;
  readonly file?: string;
  readonly line?: number;
  /** Empty where the case passes. */
  readonly failures: readonly { readonly type: string; readonly message: string; readonly text: string }[];
}

/** A named list of cases. */
export interface JUnitSuite {
  readonly name: string;
  readonly cases: readonly JUnitCase[];
}

/** Writes suites as JUnit XML, in the form that CI systems read (`testsuites`, `testsuite`, `testcase`, `failure`). */
export function toJUnit(suites: readonly JUnitSuite[]): string {
  const all = suites.flatMap(({ cases }) => cases);
  const body = suites.flatMap(({ name, cases }) => [
    `  <testsuite name="${attribute(name)}"${countsOf(cases)}>`,
    ...cases.flatMap((one) => caseLines(one, name)),
    "  </testsuite>",
  ]);
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="cellwall"${countsOf(all)}>`,
    ...body,
    "</testsuites>",
    "",
  ].join("\n");
}

/** A suite of findings, one case each. Notes pass; a suite without findings has one case that passes. */
export function suiteOf(name: string, findings: readonly Finding[]): JUnitSuite {
  if (findings.length === 0) return { name, cases: [{ name: "no findings", failures: [] }] };
  return { name, cases: findings.map(caseOf) };
}

function caseOf(one: Finding): JUnitCase {
  const { id, severity, span, message } = one;
  const place = span === undefined ? "" : ` ${span.file}:${span.line}:${span.column}`;
  const failure = { type: `${severity}: ${id}`, message, text: textOf(one) };
  return {
    name: `${id}${place}: ${message}`,
    ...(span === undefined ? {} : { file: span.file, line: span.line }),
    failures: severity === "note" ? [] : [failure],
  };
}

function textOf({ reason, witness, remedy }: Finding): string {
  return [
    `why: ${reason}`,
    ...(witness === undefined ? [] : [`witness: ${witnessText(witness)}`]),
    ...(remedy === undefined ? [] : [`remedy: ${remedy}`]),
  ].join("\n");
}

function countsOf(cases: readonly JUnitCase[]): string {
  const failed = cases.filter(({ failures }) => failures.length > 0).length;
  return ` tests="${cases.length}" failures="${failed}" errors="0" skipped="0"`;
}

function caseLines({ name, file, line, failures }: JUnitCase, suite: string): readonly string[] {
  const place = file === undefined ? "" : ` file="${attribute(file)}"`;
  const at = line === undefined ? "" : ` line="${line}"`;
  const head = `    <testcase name="${attribute(name)}" classname="${attribute(suite)}"${place}${at}`;
  if (failures.length === 0) return [`${head}/>`];
  const inner = failures.map(
    ({ type, message, text }) =>
      `      <failure type="${attribute(type)}" message="${attribute(message)}">${escaped(text)}</failure>`,
  );
  return [`${head}>`, ...inner, "    </testcase>"];
}

/** Text for an attribute: one line. */
function attribute(text: string): string {
  return escaped(printable(text, 1000)).replaceAll('"', "&quot;");
}

/** Text for XML 1.0: line by line printable, so that no character is left that XML forbids. */
function escaped(text: string): string {
  return text
    .split("\n")
    .map((line) => printable(line, 4000).replace(/[\ufffe\uffff]/g, "\ufffd"))
    .join("\n")
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;");
}
