import type { Finding } from "./finding.ts";
import type { SuppressedFinding } from "./suppression.ts";

/** How many findings of each severity. */
export interface FindingCounts {
  readonly errors: number;
  readonly warnings: number;
  readonly notes: number;
}

/** Counts findings by severity. */
export function countFindings(findings: readonly Finding[]): FindingCounts {
  const of = (severity: Finding["severity"]): number => findings.filter((one) => one.severity === severity).length;
  return { errors: of("error"), warnings: of("warning"), notes: of("note") };
}

/** The JSON form of findings: `{ findings, suppressed, errors, warnings, notes }`. Witnesses can be fed to `attributesOf`. */
export function findingsJson(
  findings: readonly Finding[],
  suppressed: readonly SuppressedFinding[] = [],
): FindingCounts & { readonly findings: readonly Finding[]; readonly suppressed: readonly SuppressedFinding[] } {
  return { ...countFindings(findings), findings, suppressed };
}
