/** Reading policy texts into positioned, checked documents. */
export type { Document, InvalidDocument, Kind, MergedDocument, MergedKind } from "./document.ts";
export { KINDS } from "./document.ts";
export { type ParsedDocuments, type PolicyFile, parseDocuments } from "./parse-documents.ts";
export { parsePathPattern, type TextFinding, type TextResult } from "./path-pattern.ts";
export { API_VERSION } from "./read-document.ts";
export { MAX_FILE_BYTES } from "./read-yaml.ts";
export { parseRequestLine } from "./request-line.ts";
export { type SourceText, sourceText } from "./source-text.ts";
