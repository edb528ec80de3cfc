import { diagnostic } from "../diagnostics/codes.ts";
import type { Diagnostic } from "../model/index.ts";
import { printable } from "../printable.ts";
import type { Document, Kind } from "./document.ts";
import { readDocument } from "./read-document.ts";
import { readYaml } from "./read-yaml.ts";
import type { Reading } from "./readers.ts";
import { sourceText } from "./source-text.ts";

/** The most findings that are kept of one file. */
const MAX_FILE_FINDINGS = 1000;

/** One policy file; `path` is only shown. */
export interface PolicyFile {
  readonly path: string;
  readonly text: string;
}

/** What `parseDocuments` returns. */
export interface ParsedDocuments {
  readonly documents: readonly Document[];
  /** Everything that is wrong with the texts by themselves, in order of files and places. */
  readonly diagnostics: readonly Diagnostic[];
}

/**
 * Reads policy files, in the order given: a later `Mesh` or `Workload` is merged over an earlier one of its name.
 * Collects all findings and never throws; time is linear in the texts (docs/policy-language.md).
 */
export function parseDocuments(files: readonly PolicyFile[]): ParsedDocuments {
  const documents: Document[] = [];
  const diagnostics: Diagnostic[] = [];
  const names = new Set<string>();
  const key = (kind: Kind, namespace: string, name: string): string => `${kind}/${namespace}/${name}`;
  for (const file of files) {
    const source = sourceText(printable(file.path, 1024), file.text);
    const yaml = readYaml(source);
    const reading: Reading = { found: [...yaml.diagnostics], partial: false };
    for (const { tree, broken } of yaml.trees) {
      const document = readDocument(tree, broken, reading, { has: (...of) => names.has(key(...of)) });
      if (document === undefined) continue;
      documents.push(document);
      if (document.kind !== "Invalid") names.add(key(document.kind, document.namespace, document.name));
    }
    for (const one of limited(inOrder(reading.found))) diagnostics.push(one);
  }
  return { documents, diagnostics };
}

/** Of a file with very many findings, the first; what is cut is counted by an error of its own. */
function limited(found: readonly Diagnostic[]): readonly Diagnostic[] {
  const last = found[MAX_FILE_FINDINGS - 1];
  if (last === undefined || found.length === MAX_FILE_FINDINGS) return found;
  const message = `${found.length - MAX_FILE_FINDINGS} more findings in this file are not shown`;
  return [...found.slice(0, MAX_FILE_FINDINGS), diagnostic("ERR_POLICY_TOO_MANY", last.span, message)];
}

/** Sorts the findings of one file by their places. */
function inOrder(found: readonly Diagnostic[]): readonly Diagnostic[] {
  return [...found].sort((a, b) => a.span.line - b.span.line || a.span.column - b.span.column);
}
