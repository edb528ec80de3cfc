import type { Span } from "../model/index.ts";

/** The place of everything that is built by hand. */
export const SPAN: Span = Object.freeze({ file: "test.yaml", line: 1, column: 1, endLine: 1, endColumn: 2 });
