import { type Finding, finding } from "../../findings/index.ts";
import { nameOf, type Subject } from "../subject.ts";

/** Policies that nobody answers for. */
export function missingOwner({ set }: Subject): readonly Finding[] {
  return set.policies
    .filter(({ owner, action }) => owner === undefined && action === "replace")
    .map((policy) =>
      finding({
        id: "missing-owner",
        severity: "warning",
        about: [nameOf(policy), policy.stage],
        span: policy.span,
        message: `the policy \`${nameOf(policy)}\` has no \`owner\``,
        reason: "whoever finds it wrong has nobody to ask, and nobody looks after it",
        remedy: "add `owner:` with the team that answers for it",
      }),
    );
}
