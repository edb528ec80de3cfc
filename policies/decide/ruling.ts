import type { CallerView } from "../compile/compiled.ts";
import type { Tally } from "./evaluation.ts";
import type { Ruling } from "./seal-decision.ts";

/** What a completed tally means. The only place of the engine that makes an allow. */
export function rulingOf(tally: Tally, view: CallerView, hasPolicies: boolean): Ruling {
  const { held } = tally;
  const isCrossing = tally.allow !== undefined || tally.allowUnknown !== undefined || tally.noToken;
  if (view.apart.length > 0 && !isCrossing) {
    return {
      verdict: "deny",
      reason: "isolated",
      phase: "intake",
      detail: view.apart.join(", "),
      held,
      ...openOf(tally),
    };
  }
  const denied = tally.denyAlways ?? tally.deny;
  if (denied !== undefined) {
    return { verdict: "deny", reason: "denied-by-rule", phase: "deny", line: denied.name, held, ...openOf(tally) };
  }
  const unknown = tally.denyUnknown ?? tally.allowUnknown;
  if (unknown !== undefined) {
    return { verdict: "deny", reason: "cannot-evaluate", phase: "failure", line: unknown.name, ...openOf(tally) };
  }
  if (tally.allow !== undefined) {
    return { verdict: "allow", reason: "allowed-by-rule", phase: "allow", line: tally.allow.name };
  }
  const reason = hasPolicies ? "no-rule-matched" : "no-policy-protects";
  return { verdict: "deny", reason, phase: "default", noToken: tally.noToken };
}

/** What the unknown lines leave open, for those who ask what a record would have come to. */
export function openOf({ unknowns, allow, denyAlways }: Tally): Pick<Ruling, "open"> {
  if (unknowns === undefined) return NOTHING_OPEN;
  return { open: { lines: unknowns, allow: allow?.name, held: denyAlways !== undefined } };
}

const NOTHING_OPEN: Pick<Ruling, "open"> = Object.freeze({});
