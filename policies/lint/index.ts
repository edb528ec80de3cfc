/** Lint: what is suspicious in a set of policies (docs/lint.md). */
export { type LintOptions, lint } from "./lint.ts";
