import { type Diagnostic, formatDiagnostics, type PolicySet, parseDocuments, resolve } from "../../policies/index.ts";
import { EXIT, type ExitCode } from "../cli-error.ts";
import type { Io } from "../io.ts";
import { type PolicyText, readPolicyFolders } from "../policy-folder.ts";
import { count, json, lines, paint } from "../screen.ts";

/** Prints what is wrong with a set and how large it is; findings where it has errors. */
export function check(
  options: { readonly folders: readonly string[]; readonly output: "text" | "json" },
  io: Io,
): ExitCode {
  const files = readPolicyFolders(options.folders, io.cwd);
  const set = readSet(files);
  if (options.output === "json") json(io.stdout, report(files, set));
  else printReport(files, set, io);
  return errorsOf(set.diagnostics) > 0 ? EXIT.findings : EXIT.ok;
}

/** The resolved set of files, its diagnostics inside. */
export function readSet(files: readonly PolicyText[]): PolicySet {
  const { documents, diagnostics } = parseDocuments(files);
  return resolve(documents, { diagnostics });
}

/** How many of the findings are errors. */
export function errorsOf(diagnostics: readonly Diagnostic[]): number {
  return diagnostics.filter((each) => each.severity === "error").length;
}

function report(files: readonly PolicyText[], set: PolicySet): unknown {
  const errors = errorsOf(set.diagnostics);
  return {
    ok: errors === 0,
    files: files.map(({ path }) => path),
    workloads: set.workloads.length,
    policies: set.policies.length,
    requestLines: requestLines(set),
    errors,
    warnings: set.diagnostics.filter((each) => each.severity === "warning").length,
    diagnostics: set.diagnostics,
  };
}

function printReport(files: readonly PolicyText[], set: PolicySet, io: Io): void {
  const { diagnostics } = set;
  if (diagnostics.length > 0)
    lines(io.stdout, formatDiagnostics(diagnostics, { files, color: io.stdout.color }).trimEnd(), "");
  const errors = errorsOf(diagnostics);
  const warnings = diagnostics.filter((each) => each.severity === "warning").length;
  const verdict = errors === 0 ? paint(io.stdout, "green", "ok") : paint(io.stdout, "red", count(errors, "error"));
  const beside = warnings === 0 ? "" : `, ${count(warnings, "warning")}`;
  lines(io.stdout, `${verdict}${beside}: ${sizes(files, set)}`);
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
