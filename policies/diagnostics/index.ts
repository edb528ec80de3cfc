/** Findings about policy texts: their codes and how they are printed. */
export type { DiagnosticCode } from "./codes.ts";
export { type FormatOptions, formatDiagnostics } from "./format-diagnostics.ts";
