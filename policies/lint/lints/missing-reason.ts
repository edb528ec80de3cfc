import { selectorText } from "../../explain/matcher-text.ts";
import { type Finding, finding } from "../../findings/index.ts";
import type { CallerSelector } from "../../model/index.ts";
import { isEveryone } from "../reach.ts";
import type { Subject } from "../subject.ts";

/** Allows for everyone, for addresses or for another trust domain that do not say why. */
export function missingReason(subject: Subject): readonly Finding[] {
  return subject.rules.flatMap(({ rule, id }) => {
    if (rule.effect === "deny" || rule.reason !== undefined) return [];
    const entry = rule.from?.find((one) => needsReason(one, subject));
    if (entry === undefined) return [];
    return [
      finding({
        id: "missing-reason",
        severity: "warning",
        about: [id],
        span: rule.span,
        message: `\`${rule.name}\` is for ${selectorText(entry)} and does not say why`,
        reason: "whoever reviews it cannot tell a decision from an oversight",
        remedy: "add `reason:` to the rule, and a `review:` date where it is not for ever",
        related: [{ span: entry.span, message: "this entry needs a reason" }],
      }),
    ];
  });
}

function needsReason(entry: CallerSelector, subject: Subject): boolean {
  const own = subject.set.mesh.trustDomain;
  if (entry.anyone === "anonymous" || entry.addresses !== undefined || isEveryone(entry, subject)) return true;
  if (entry.trustDomain !== undefined && entry.trustDomain !== own) return true;
  return entry.spiffe !== undefined && entry.spiffe.id.trustDomain !== own;
}
