import type { CallerView } from "../compile/compiled.ts";
import type { Tally } from "./evaluation.ts";
import type { Ruling } from "./seal-decision.ts";

/** What a completed tally means. The only place of the engine that makes an allow. */
export function rulingOf(tally: Tally, view: CallerView, hasPolicies: boolean): Ruling {
  const { held } = tally;
  const isCrossing = tally.allow !== undefined || tally.allowUnknown !== undefined || tally.noToken;
  if (view.apart.length > 0 && !isCrossing) {
    return { verdict: "deny", reason: "isolated", phase: "intake", detail: view.apart.join(", "), held };
  }
  const denied = tally.denyAlways ?? tally.deny;
  if (denied !== undefined) {
    return { verdict: "deny", reason: "denied-by-rule", phase: "deny", line: denied.name, held };
  }
  const unknown = tally.denyUnknown ?? tally.allowUnknown;
  if (unknown !== undefined) {
    const open = { lines: tally.unknowns ?? [], allow: tally.allow?.name, held };
    return { verdict: "deny", reason: "cannot-evaluate", phase: "failure", line: unknown.name, open };
  }
  if (tally.allow !== undefined) {
    return { verdict: "allow", reason: "allowed-by-rule", phase: "allow", line: tally.allow.name };
  }
  const reason = hasPolicies ? "no-rule-matched" : "no-policy-protects";
  return { verdict: "deny", reason, phase: "default", noToken: tally.noToken };
}
