import type { PolicySet } from "../model/index.ts";
import type { ImportReport } from "./report.ts";

/** What an export may be told. */
export interface ExportOptions {
  /** Only what protects this workload, `namespace/name`; needed where the format is of one proxy. */
  readonly workload?: string;
  /** When `notBefore` and `notAfter` are judged; rules with a time limit are left out of the exact part in any case. */
  readonly now?: Date;
}

/** An export: text of the format, and what became of every rule. Places are those of the policies. */
export interface ExportResult {
  readonly text: string;
  readonly report: ImportReport;
}

/** Writes one format. Pure. */
export type Exporter = (set: PolicySet, options: ExportOptions) => ExportResult;
