import type { Diagnostic, Document, PolicySet } from "../../policies/index.ts";
import { resolve } from "../../policies/resolve/index.ts";
import { parseDocuments } from "../../policies/syntax/index.ts";
import type { PolicyText } from "../policy-folder.ts";

/** Files, what they hold, and the set it makes. */
export interface ReadSet {
  readonly files: readonly PolicyText[];
  readonly documents: readonly Document[];
  readonly set: PolicySet;
}

/** Parses and resolves files. */
export function readDocuments(files: readonly PolicyText[]): ReadSet {
  const { documents, diagnostics } = parseDocuments(files);
  return { files, documents, set: resolve(documents, { diagnostics }) };
}

/** The resolved set of files, its diagnostics inside. */
export function readSet(files: readonly PolicyText[]): PolicySet {
  return readDocuments(files).set;
}

/** How many of the findings are errors. */
export function errorsOf(diagnostics: readonly Diagnostic[]): number {
  return diagnostics.filter((each) => each.severity === "error").length;
}
