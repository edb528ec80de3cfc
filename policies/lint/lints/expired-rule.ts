import { type Finding, finding } from "../../findings/index.ts";
import type { Subject } from "../subject.ts";

/** Rules whose time is over. */
export function expiredRule({ rules, now }: Subject): readonly Finding[] {
  return rules.flatMap(({ rule, id }) => {
    if (rule.notAfter === undefined || rule.notAfter >= now) return [];
    const allow = rule.effect === "allow";
    return [
      finding({
        id: "expired-rule",
        severity: "warning",
        about: [id],
        span: rule.span,
        message: `\`${rule.name}\` ended at ${rule.notAfter.toISOString()}`,
        reason: allow ? "it allows nothing any more" : "it denies nothing any more, and whatever it kept out gets in",
        remedy: allow
          ? "remove it, or move `notAfter`"
          : "move `notAfter`, or remove the rule if what it kept out may come in",
      }),
    ];
  });
}
