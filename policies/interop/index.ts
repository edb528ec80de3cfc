/** Policies of other meshes and firewalls, read and written, with a report of what could not be carried over. Pure. */
import type { PolicySet } from "../model/index.ts";
import type { ExportOptions, ExportResult } from "./exporter.ts";
import type { ImportOptions, ImportResult, SourceText } from "./importer.ts";
import { InteropError } from "./interop-error.ts";
import { EXPORTERS, IMPORTERS } from "./registry.ts";

export type { ExportOptions, ExportResult } from "./exporter.ts";
export type { ImportJwtProvider, ImportOptions, ImportResult, ImportWorkload, SourceText } from "./importer.ts";
export { InteropError, type InteropErrorCode } from "./interop-error.ts";
export type { Fidelity, ImportReport, ReportEntry, ReportSummary, RequestScope, SourcePlace } from "./report.ts";

/** Names of the formats that can be imported and exported. */
export const formats: { readonly import: readonly string[]; readonly export: readonly string[] } = {
  import: [...IMPORTERS.keys()].sort(),
  export: [...EXPORTERS.keys()].sort(),
};

/**
 * Policies of another system as documents of the policy language. Throws `InteropError` `ERR_POLICY_INTEROP_FORMAT` for
 * a format that is not known, `ERR_POLICY_INTEROP_SYNTAX` for a text that cannot be read, `ERR_POLICY_INTEROP_INVALID`
 * for a document that the source itself would refuse.
 */
export function importPolicies(
  format: string,
  texts: readonly SourceText[],
  options: ImportOptions = {},
): ImportResult {
  const importer = IMPORTERS.get(format);
  if (importer === undefined) throw unknown(format, formats.import);
  return importer(texts, options);
}

/** A policy set in another system's form. Throws `InteropError` `ERR_POLICY_INTEROP_FORMAT` for a format that is not known. */
export function exportPolicies(format: string, set: PolicySet, options: ExportOptions = {}): ExportResult {
  const exporter = EXPORTERS.get(format);
  if (exporter === undefined) throw unknown(format, formats.export);
  return exporter(set, options);
}

function unknown(format: string, known: readonly string[]): InteropError {
  return new InteropError("ERR_POLICY_INTEROP_FORMAT", `\`${format}\` is no format`, {
    hint: `one of ${known.join(", ")}`,
  });
}
