/** One thing that was looked at. */
export interface Verdict {
  /** Stable, kebab-case: docs/your-own-envoy.md, "cellwall doctor". */
  readonly id: string;
  readonly state: "ok" | "note" | "warning" | "error" | "skipped";
  /** A workload, `host`, a file. */
  readonly subject: string;
  readonly message: string;
  readonly remedy?: string;
}
