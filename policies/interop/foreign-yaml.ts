import { type Document, isNode, LineCounter, parseAllDocuments } from "yaml";
import { printable } from "../printable.ts";
import type { SourceText } from "./importer.ts";
import { InteropError } from "./interop-error.ts";
import type { SourcePlace } from "./report.ts";

/** A document of a foreign format: its content and where each part of it stands. */
export interface ForeignDocument {
  readonly value: unknown;
  /** Place of the part that a path leads to, or of the nearest part around it. */
  at(path: readonly (string | number)[]): SourcePlace;
}

/** Aliases in a foreign document may be followed this often, so that none can blow up. */
const MAX_ALIASES = 100;

/**
 * The YAML or JSON documents of texts, `kind: List` opened. Empty documents are passed over. Throws `InteropError`
 * `ERR_POLICY_INTEROP_SYNTAX` with the place of the first mistake.
 */
export function readForeignYaml(texts: readonly SourceText[]): readonly ForeignDocument[] {
  return texts.flatMap(readText).flatMap(openList);
}

function readText({ path: file, text }: SourceText): readonly ForeignDocument[] {
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, uniqueKeys: true, prettyErrors: false });
  if (!Array.isArray(documents)) return [];
  return documents.flatMap((document: Document.Parsed) => {
    const [error] = document.errors;
    if (error !== undefined) {
      const { line, col } = lines.linePos(error.pos[0]);
      throw new InteropError("ERR_POLICY_INTEROP_SYNTAX", `${file}:${line}:${col}: ${printable(error.message)}`);
    }
    const value = contentOf(document, file);
    return value === null || value === undefined ? [] : [foreignDocument(document, lines, file, value)];
  });
}

function contentOf(document: Document.Parsed, file: string): unknown {
  try {
    return document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch (error) {
    const message = error instanceof Error ? error.message : "unreadable";
    throw new InteropError("ERR_POLICY_INTEROP_SYNTAX", `${file}:1:1: ${printable(message)}`);
  }
}

function foreignDocument(document: Document.Parsed, lines: LineCounter, file: string, value: unknown): ForeignDocument {
  return {
    value,
    at: (path) => {
      for (let length = path.length; length >= 0; length -= 1) {
        const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true);
        if (!isNode(node) || node.range === undefined || node.range === null) continue;
        const { line, col } = lines.linePos(node.range[0]);
        return { file, line: Math.max(1, line), column: Math.max(1, col), path: pathText(path) };
      }
      return { file, line: 1, column: 1, path: pathText(path) };
    },
  };
}

function openList(document: ForeignDocument): readonly ForeignDocument[] {
  const { value } = document;
  if (!isRecord(value) || value.kind !== "List" || !Array.isArray(value.items)) return [document];
  return value.items.map((item: unknown, index) => ({
    value: item,
    at: (path) => document.at(["items", index, ...path]),
  }));
}

/** `spec.rules[0].to[1]`. */
export function pathText(path: readonly (string | number)[]): string {
  return path
    .map((part) => (typeof part === "number" ? `[${part}]` : `.${part}`))
    .join("")
    .replace(/^\./, "");
}

/** The `kind` of a document, or of another key that says it, fit to be printed; words where it has none. */
export function kindOf(value: unknown, key = "kind"): string {
  const kind = isRecord(value) ? value[key] : undefined;
  return typeof kind === "string" && kind !== "" ? printable(kind, 60) : `document without \`${key}\``;
}

/** Whether a value is a map of keys. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
