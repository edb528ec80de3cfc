import { LINT_IDS, lint } from "../../policies/lint/index.ts";
import type { Pass } from "./pass.ts";

const IDS: ReadonlySet<string> = new Set(LINT_IDS);

/** What is suspicious in the set (docs/lint.md). */
export const lintPass: Pass = {
  name: "lint",
  doing: "looking for rules that do not do what they seem to",
  finds: (id) => IDS.has(id),
  run: ({ set, documents, now }) => ({ findings: lint(set, { now, documents }) }),
};
