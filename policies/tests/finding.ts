import { type Finding, finding as put } from "../findings/index.ts";

/** Ids of the findings that tests of policies make (docs/policies-as-code.md, "Tests"). */
export type TestFindingId = "test-failed" | "test-relaxed" | "test-coverage" | "test-uncovered" | "mutant-survived";

/** A finding whose fingerprint is made of `about`: names and ids that stay when lines move. */
export function finding(
  id: TestFindingId,
  about: readonly string[],
  rest: Omit<Finding, "id" | "fingerprint">,
): Finding {
  return put({ id, about, ...rest });
}
