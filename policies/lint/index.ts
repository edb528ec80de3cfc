/** Lint: what is suspicious in a set of policies (docs/lint.md). */
export { LINT_IDS, type LintOptions, lint } from "./lint.ts";
