import type { KnownWorkload } from "../draft/world.ts";
import { applies, type Situation } from "./applies.ts";
import type { CalicoRule } from "./policy.ts";
import type { TierRules } from "./tiers.ts";

/**
 * Whether a caller may leave for a callee, by its own tiers of egress. What is not known is taken to keep it in. Callers
 * that no egress policy selects may leave.
 */
export function mayLeave(
  tiers: readonly TierRules[],
  situation: Situation & { readonly caller: KnownWorkload },
): boolean {
  for (const { rules, defaultAction } of tiers) {
    const action = firstOf(rules, situation) ?? defaultAction;
    if (action !== "pass") return action === "allow";
  }
  return true;
}

function firstOf(rules: readonly CalicoRule[], situation: Situation): "allow" | "deny" | "pass" | undefined {
  for (const rule of rules) {
    const { action, source, methods, paths } = rule;
    const answer = applies(rule, situation);
    if (action === "log" || answer === "no") continue;
    const narrowed =
      source.nets !== undefined || source.notNets.length > 0 || methods !== undefined || paths !== undefined;
    if (answer === "yes" && !narrowed) return action;
    if (action !== "allow") return "deny";
  }
  return undefined;
}
