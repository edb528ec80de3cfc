import { finding } from "../../policies/findings/index.ts";
import type { Diagnostic, Finding, FindingCounts, SuppressedFinding } from "../../policies/index.ts";
import type { PassName, PassResult } from "./pass.ts";
import type { ReadSet } from "./read-set.ts";

/** What `cellwall check` found. */
export interface CheckReport extends ReadSet {
  /** What is wrong with the texts; with an error in here no pass has run. */
  readonly diagnostics: readonly Diagnostic[];
  /** Of all passes and of suppressions, what stands. */
  readonly findings: readonly Finding[];
  readonly suppressed: readonly SuppressedFinding[];
  readonly passes: ReadonlyMap<PassName, PassResult>;
}

/** Counts of a report: diagnostics and findings together. */
export function countsOf({ diagnostics, findings }: CheckReport): FindingCounts {
  const of = (severity: string, code: string): number =>
    findings.filter((one) => one.severity === severity).length +
    diagnostics.filter((one) => one.severity === code).length;
  return { errors: of("error", "error"), warnings: of("warning", "warning"), notes: of("note", "info") };
}

/** Diagnostics as findings, for forms that know only these: `ERR_POLICY_UNKNOWN_KEY` is `unknown-key`. */
export function diagnosticFindings(diagnostics: readonly Diagnostic[]): readonly Finding[] {
  return diagnostics.map(({ severity, code, span, message, hint }) =>
    finding({
      id: code
        .replace(/^(?:ERR|WARN)_(?:POLICY_)?/, "")
        .toLowerCase()
        .replaceAll("_", "-"),
      severity: severity === "info" ? "note" : severity,
      span,
      message,
      reason: severity === "error" ? "a set with errors is never put in force" : "it is hardly what was meant",
      ...(hint === undefined ? {} : { remedy: hint }),
      about: [span.file, message],
    }),
  );
}
