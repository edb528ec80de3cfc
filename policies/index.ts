/** The policy language: reading, checking, resolving, deciding and explaining. Pure: no clock, no file, no network. */
export * from "./analysis.ts";
export * from "./diagnostics/index.ts";
export * from "./engine.ts";
export { isGrpc } from "./match/request.ts";
export type * from "./model/index.ts";
export { REASON_CODES } from "./model/index.ts";
export { printable } from "./printable.ts";
export * from "./resolve/index.ts";
export * from "./syntax/index.ts";
