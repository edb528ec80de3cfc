/** One kind of finding: what is documented of it. */
export interface LintRule {
  readonly severity: "error" | "warning" | "note";
  /** What is the matter, one sentence without a full stop. */
  readonly title: string;
  /** Why it matters: what a caller can do. */
  readonly why: string;
  /** What to do. */
  readonly remedy: string;
  /** Published advisories: CVE, GHSA and vendors' numbers. */
  readonly advisories?: readonly string[];
}
