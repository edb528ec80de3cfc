import { type Finding, finding } from "../../findings/index.ts";
import type { Subject } from "../subject.ts";

/** Rules whose `review` date is past. */
export function overdueReview({ rules, now }: Subject): readonly Finding[] {
  const today = now.toISOString().slice(0, 10);
  return rules.flatMap(({ rule, id }) => {
    if (rule.review === undefined || rule.review >= today) return [];
    return [
      finding({
        id: "overdue-review",
        severity: "warning",
        about: [id],
        span: rule.span,
        message: `\`${rule.name}\` was to be looked at again on ${rule.review}`,
        reason: "the reason it is there for may be gone",
        remedy: "look at it: remove it, or set the next date under `review`",
      }),
    ];
  });
}
