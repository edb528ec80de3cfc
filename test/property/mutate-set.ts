import type { PolicyInput, RuleInput, SetInput } from "../../policies/testing/build.ts";
import { generateSet } from "./generate-set.ts";
import type { Random } from "./random.ts";

/** What a team might make of a set: a few edits of rules, policies, modes and labels; now and then another set. */
export function mutateSet(random: Random, set: SetInput): SetInput {
  const other = generateSet(random);
  const kind = random.int(10);
  if (kind === 0) return other;
  if (kind === 1) return { ...set, policies: other.policies };
  if (kind === 2) return { ...set, workloads: { ...set.workloads, ...pickSome(random, other.workloads) } };
  if (kind === 3) return { ...set, isolate: other.isolate ?? [] };
  if (kind === 4) return { ...set, federated: random.chance(0.5) ? [] : ["partner.example", "stranger.example"] };
  const donors = other.policies.flatMap((policy) => [...(policy.allow ?? []), ...(policy.deny ?? [])]);
  const edited = set.policies.map((policy) => (random.chance(0.5) ? editPolicy(random, policy, donors) : policy));
  return { ...set, policies: random.chance(0.15) ? edited.slice(1) : edited };
}

function pickSome<T>(random: Random, values: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(values).filter(() => random.chance(0.4)));
}

function editPolicy(random: Random, policy: PolicyInput, donors: readonly RuleInput[]): PolicyInput {
  const edit = (rules: readonly RuleInput[], isDeny: boolean): readonly RuleInput[] =>
    rules.flatMap((rule) =>
      random.chance(0.12) ? [] : [random.chance(0.5) ? editRule(random, rule, donors, isDeny) : rule],
    );
  return { ...policy, allow: edit(policy.allow ?? [], false), deny: edit(policy.deny ?? [], true) };
}

const OPTIONAL = ["hosts", "ports", "headers", "query", "jwt", "notBefore", "notAfter", "except", "across"] as const;

/** Takes one key of a rule away, or takes it over from another. */
function editRule(random: Random, rule: RuleInput, donors: readonly RuleInput[], isDeny: boolean): RuleInput {
  const donor = donors.length === 0 ? {} : random.pick(donors);
  const key = random.pick([...OPTIONAL, "from", "requests"] as const);
  const { [key]: _, ...rest } = rule;
  const taken = donor[key] === undefined ? {} : { [key]: donor[key] };
  const needed = !isDeny && (key === "from" || key === "requests");
  if (key === "across" && isDeny) return rule;
  if (needed || random.chance(0.5)) return donor[key] === undefined && needed ? rule : { ...rest, ...taken };
  return rest;
}
