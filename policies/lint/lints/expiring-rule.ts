import { type Finding, finding } from "../../findings/index.ts";
import type { Subject } from "../subject.ts";

const DAY_MS = 86_400_000;

/** How long before its end a rule is about to expire, in days. */
export const EXPIRING_WITHIN_DAYS = 14;

/** Rules that end within 14 days of now. */
export function expiringRule({ rules, now }: Subject): readonly Finding[] {
  return rules.flatMap(({ rule, id }) => {
    const leftMs = (rule.notAfter?.getTime() ?? Number.POSITIVE_INFINITY) - now.getTime();
    if (rule.notAfter === undefined || leftMs < 0 || leftMs > EXPIRING_WITHIN_DAYS * DAY_MS) return [];
    return [
      finding({
        id: "expiring-rule",
        severity: "warning",
        about: [id],
        span: rule.span,
        message: `\`${rule.name}\` ends at ${rule.notAfter.toISOString()}`,
        reason:
          rule.effect === "allow"
            ? "from then on these requests are denied, with nobody having changed anything"
            : "from then on it denies nothing, with nobody having changed anything",
        remedy: "move `notAfter`, or make sure that nobody needs the rule by then",
      }),
    ];
  });
}
