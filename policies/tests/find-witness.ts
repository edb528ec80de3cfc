import type { Index } from "../compile/compiled.ts";
import { decide } from "../decide/decide.ts";
import type { AccessPolicy, Attributes, PolicySet, Rule, Verdict, Workload } from "../model/index.ts";
import { type Asked, attributesOfAsked } from "./case-attributes.ts";
import type { Change } from "./mutants/mutant.ts";
import { probesNear } from "./probes/probes.ts";

/** How many requests are tried for one mutant, at most. */
const MOST_PROBES = 20_000;

/** A request that set and mutant decide differently. */
export interface MutantWitness {
  readonly asked: Asked;
  readonly attributes: Attributes;
  /** What the set says. */
  readonly verdict: Verdict;
}

/** What is compared: the set and its mutant, compiled for the destinations that the change affects. */
export interface Comparison {
  readonly set: PolicySet;
  readonly change: Change;
  readonly destinations: readonly Workload[];
  /** Live policies by destination. */
  readonly policiesOf: (identity: string) => readonly AccessPolicy[];
  readonly before: Index;
  readonly after: Index;
  readonly now: Date;
}

/** Looks for a request that tells a mutant from its set; without one the two are taken for equivalent. */
export function findWitness(comparison: Comparison): MutantWitness | undefined {
  const { set, before, after, now } = comparison;
  let left = MOST_PROBES;
  for (const destination of comparison.destinations) {
    const rules = comparison.policiesOf(destination.identity.toString());
    for (const focus of focusesOf(comparison.change, rules)) {
      for (const probe of probesNear(focus, destination, set, now)) {
        if (left-- <= 0) return undefined;
        const attributes = attributesOfAsked(probe, set, now);
        if (!arrives(attributes, destination)) continue;
        const { verdict } = decide(before, attributes);
        if (verdict !== decide(after, attributes).verdict) return { asked: probe, attributes, verdict };
      }
    }
  }
  return undefined;
}

/** Whether there is a listener for the request, where the destination's listeners are known. */
function arrives({ listener, tcp }: Attributes, { sidecar }: Workload): boolean {
  return (
    sidecar === undefined ||
    sidecar.listens.some(
      ({ port, protocol, clients }) =>
        port === listener.port &&
        (protocol === "tcp") === (tcp !== undefined) &&
        (clients === "public") === (listener.kind === "edge"),
    )
  );
}

/**
 * Rules to look around, together: the changed one before and after; with a deny, a workload or the mesh also each allow, because only
 * what is allowed shows that a denial is gone.
 */
function focusesOf(change: Change, policies: readonly AccessPolicy[]): readonly (readonly Rule[])[] {
  const allows = policies.flatMap(({ allow }) => allow);
  if (change.kind !== "policy") return [[], ...allows.map((rule) => [rule])];
  const { rule, editedRule } = change;
  if (rule === undefined)
    return [...change.policy.allow, ...change.policy.deny].flatMap((one) => focusOf(one, undefined, allows));
  return focusOf(rule, editedRule, allows);
}

function focusOf(rule: Rule, edited: Rule | undefined, allows: readonly Rule[]): readonly (readonly Rule[])[] {
  const both = edited === undefined ? [rule] : [rule, edited];
  const turned = edited === undefined ? [] : [[edited, rule]];
  return rule.effect === "allow" ? [both, ...turned] : [both, ...turned, ...allows.map((allow) => [allow, ...both])];
}
