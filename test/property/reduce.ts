import type { PolicyInput, RuleInput, SetInput } from "../../policies/testing/build.ts";

/** Takes away policies, rules and parts of rules for as long as the set still fails: a small set to look at. */
export function reduceSet(set: SetInput, stillFails: (set: SetInput) => boolean): SetInput {
  const smaller = smallerSets(set).find((candidate) => stillFails(candidate));
  return smaller === undefined ? set : reduceSet(smaller, stillFails);
}

function smallerSets(set: SetInput): readonly SetInput[] {
  const without = set.policies.map((_, index) => ({ ...set, policies: set.policies.toSpliced(index, 1) }));
  const reduced = set.policies.flatMap((policy, index) =>
    smallerPolicies(policy).map((smaller) => ({ ...set, policies: set.policies.with(index, smaller) })),
  );
  return [...without, ...reduced, ...(set.isolate === undefined ? [] : [withoutKey(set, "isolate")])];
}

function smallerPolicies(policy: PolicyInput): readonly PolicyInput[] {
  return (["allow", "deny"] as const).flatMap((effect) => {
    const rules = policy[effect] ?? [];
    return rules.flatMap((rule, index) => [
      { ...policy, [effect]: rules.toSpliced(index, 1) },
      ...smallerRules(rule, effect).map((smaller) => ({ ...policy, [effect]: rules.with(index, smaller) })),
    ]);
  });
}

function smallerRules(rule: RuleInput, effect: "allow" | "deny"): readonly RuleInput[] {
  const keys = (Object.keys(rule) as (keyof RuleInput)[]).filter(
    (key) => key !== "name" && (effect === "deny" || (key !== "from" && key !== "requests")),
  );
  const requests = rule.requests ?? [];
  return [
    ...keys.map((key) => withoutKey(rule, key)),
    ...(requests.length > 1 ? requests.map((_, index) => ({ ...rule, requests: requests.toSpliced(index, 1) })) : []),
  ];
}

function withoutKey<T extends object>(value: T, key: keyof T): T {
  const copy = { ...value };
  delete copy[key];
  return copy;
}
