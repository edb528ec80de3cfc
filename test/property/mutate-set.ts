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

/** Takes one key of a rule away, takes it over from another, or edits one of its lines. */
function editRule(random: Random, rule: RuleInput, donors: readonly RuleInput[], isDeny: boolean): RuleInput {
  const { requests = [] } = rule;
  if (requests.length > 0 && random.chance(0.5)) {
    const at = random.int(requests.length);
    return { ...rule, requests: requests.with(at, editLine(random, requests[at] ?? "")) };
  }
  const donor = donors.length === 0 ? {} : random.pick(donors);
  const key = random.pick([...OPTIONAL, "from", "requests"] as const);
  const { [key]: _, ...rest } = rule;
  const taken = donor[key] === undefined ? {} : { [key]: donor[key] };
  const needed = !isDeny && (key === "from" || key === "requests");
  if (key === "across" && isDeny) return rule;
  if (needed || random.chance(0.5)) return donor[key] === undefined && needed ? rule : { ...rest, ...taken };
  return rest;
}

/** Another method, one more or one less slash, another type of a parameter: what people get wrong by one character. */
function editLine(random: Random, line: string): string {
  const [first = "", second = ""] = line.split(" ");
  if (first === "tcp") return `tcp ${random.pick(["*", "5432", "8443"])}`;
  if (first === "grpc")
    return random.chance(0.5) ? `POST /${second.replace("*", "{m}")}` : second.replace(/^(.*)\/.*$/, "grpc $1/*");
  const edits: readonly (() => string)[] = [
    () =>
      `${first} ${second.endsWith("/") ? second.slice(0, -1) || "/" : second.endsWith("**") ? second : `${second}/`}`,
    () => `${first} ${second.includes("**") ? second.replace("/**", "") || "/" : `${second.replace(/\/$/, "")}/**`}`,
    () =>
      `${first} ${second.replace(/\{id(?::[a-z]+)?\}/, random.pick(["{id}", "{id:int}", "{id:hex}", "{id:slug}", "42"]))}`,
    () => `${random.pick(["GET|HEAD", "GET", "HEAD", "ANY", "POST", "GET|POST", "websocket"])} ${second}`,
  ];
  return random.pick(edits)();
}

/** Few rules for one workload, so that a difference that is missed is not made up for by another. */
export function smallSet(random: Random, set: SetInput): SetInput {
  const policies = set.policies.filter(
    ({ stage, allow, deny }) => stage !== "candidate" && (allow ?? []).length + (deny ?? []).length > 0,
  );
  const policy = policies.length === 0 ? undefined : random.pick(policies);
  const wide = {
    name: "wide",
    protects: "orders",
    allow: [{ name: "all", from: [{ anyone: "authenticated" as const }], requests: ["ANY /**", "tcp *"] }],
  };
  const few = policy && {
    ...policy,
    protects: "orders",
    namespace: "shop",
    allow: (policy.allow ?? []).slice(0, 1),
    deny: (policy.deny ?? []).slice(0, 1),
  };
  const orders = { ...set.workloads.orders, namespace: "shop" };
  return {
    ...set,
    workloads: { ...set.workloads, orders },
    policies: [...(few ? [few] : []), ...(random.chance(0.6) ? [wide] : [])],
  };
}
