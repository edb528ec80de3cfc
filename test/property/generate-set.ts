import type { Matcher } from "../../policies/model/index.ts";
import type { PolicyInput, RuleInput, SelectorInput, SetInput, WorkloadInput } from "../../policies/testing/build.ts";
import type { Random } from "./random.ts";

// Policies and requests are drawn from the same small words, so that they meet often.
export const NAMES = ["web", "orders", "db", "batch", "tool"] as const;
export const NAMESPACES = ["shop", "pay"] as const;
export const FOREIGN = ["partner.example", "stranger.example"] as const;
export const SEGMENTS = ["a", "b", "Admin", "admin", "42", "7f", "x.json", "2026-02-28", "é", "p-q"] as const;
export const METHODS = ["GET", "HEAD", "POST", "PUT", "DELETE"] as const;
export const HEADERS = ["x-a", "x-b", "content-type"] as const;
export const VALUES = ["v", "w", "vw", "application/grpc", "application/json"] as const;
export const HOSTS = ["orders.shop", "admin.shop", "10.0.0.1"] as const;
export const PORTS = [8443, 5432] as const;
export const INSTANTS = ["2026-05-31T00:00:00Z", "2026-06-01T12:00:00Z", "2026-06-02T00:00:00Z"] as const;
export const SCOPES = ["orders:read", "orders:write"] as const;
export const GROUPS = ["admins", "staff"] as const;

export function generateSet(random: Random): SetInput {
  return {
    ...(random.chance(0.2) && { isolate: random.chance(0.7) ? ["env"] : ["env", "zone"] }),
    federated: ["partner.example"],
    workloads: Object.fromEntries(NAMES.map((name) => [name, workload(random)])),
    policies: unique(random.list(random.chance(0.05) ? 0 : 2, 7, () => policy(random))),
  };
}

/** One policy a name and stage: what the resolver guarantees. */
function unique(policies: readonly PolicyInput[]): readonly PolicyInput[] {
  const names = policies.map(({ namespace, name, stage }) => `${namespace}/${name}/${stage}`);
  return policies.filter((_, index) => names.indexOf(names[index] ?? "") === index);
}

function workload(random: Random): WorkloadInput {
  const labels: Record<string, string> = {};
  if (random.chance(0.7)) labels.app = random.pick(["web", "orders"]);
  if (random.chance(0.95)) labels.env = random.pick(["prod", "prod", "prod", "prod", "dev"]);
  if (random.chance(0.7)) labels.zone = random.pick(["z1", "z2"]);
  return {
    namespace: random.chance(0.8) ? "shop" : "pay",
    labels,
    mode: random.chance(0.25) ? "monitor" : "enforce",
    caseInsensitive: random.chance(0.2),
    matrixParameters: random.chance(0.3) ? "ignore" : "reject",
  };
}

function policy(random: Random): PolicyInput {
  const candidate = random.chance(0.25);
  const stage = candidate ? "candidate" : "live";
  return {
    name: random.pick(["p", "q", "r", "s"]),
    namespace: random.chance(0.8) ? "shop" : "pay",
    stage,
    action: candidate && random.chance(0.25) ? "withdraw" : "replace",
    protects: random.chance(0.6) ? random.pick(NAMES) : { app: labelMatcher(random) },
    allow: named(
      "a",
      random.list(0, 4, () => rule(random, "allow")),
    ),
    deny: named("d", random.chance(0.5) ? random.list(1, 2, () => rule(random, "deny")) : []),
  };
}

function named(prefix: string, rules: readonly RuleInput[]): readonly RuleInput[] {
  return rules.map((rule, index) => ({ ...rule, name: `${prefix}${index}` }));
}

function rule(random: Random, effect: "allow" | "deny"): RuleInput {
  const deny = effect === "deny";
  const from = deny && random.chance(0.4) ? undefined : random.list(1, 2, () => selector(random));
  const requests = deny && random.chance(0.15) ? undefined : random.list(1, 3, () => line(random));
  return {
    ...(from && { from }),
    ...(requests && { requests }),
    ...random.maybe(0.1, () => ({ hosts: random.list(1, 2, () => random.pick(HOSTS)) })),
    ...random.maybe(0.1, () => ({ ports: [random.pick(PORTS)] })),
    ...random.maybe(0.25, () => ({ headers: matchers(random, HEADERS, headerMatcher) })),
    ...random.maybe(0.12, () => ({ query: matchers(random, ["q", "r"], headerMatcher) })),
    ...random.maybe(0.15, () => ({ jwt: token(random) })),
    ...random.maybe(0.08, () => ({ notBefore: new Date(random.pick(INSTANTS)) })),
    ...random.maybe(0.08, () => ({ notAfter: new Date(random.pick(INSTANTS)) })),
    ...random.maybe(0.2, () => ({ except: except(random) })),
    ...random.maybe(0.2, () => ({ across: random.chance(0.5) ? ["env"] : ["env", "zone"] })),
    ...(deny && random.chance(0.3) && { always: true }),
  };
}

function except(random: Random): NonNullable<RuleInput["except"]> {
  const from = random.list(1, 2, () => selector(random));
  const requests = random.list(1, 2, () => line(random));
  return random.pick([{ from }, { requests }, { from, requests }]);
}

function selector(random: Random): SelectorInput {
  const addresses = random.maybe(0.15, () => ({ addresses: [random.pick(["10.0.0.0/8", "10.1.2.3", "fd00::/8"])] }));
  const base = random.pick<() => SelectorInput>([
    () => ({ workload: random.pick(NAMES) }),
    () => ({ workload: `${random.pick(NAMESPACES)}/${random.pick(NAMES)}` }),
    () => ({ labels: { [random.pick(["app", "env", "zone"])]: labelMatcher(random) }, ...namespace(random) }),
    () => ({ labels: { app: labelMatcher(random), zone: labelMatcher(random) }, ...namespace(random) }),
    () => ({ spiffe: random.pick(["spiffe://shop.example/shop/**", "spiffe://shop.example/shop/web"]) }),
    () => ({ spiffe: random.pick(["spiffe://partner.example/billing/**", "spiffe://partner.example/**"]) }),
    () => ({ trustDomain: "partner.example" }),
    () => ({ anyone: "authenticated" }),
    () => ({ anyone: "anonymous" }),
  ])();
  return { ...base, ...addresses };
}

function namespace(random: Random): SelectorInput {
  return random.pick([{}, {}, { namespace: "*" }, { namespace: random.pick(NAMESPACES) }]);
}

function labelMatcher(random: Random): Matcher {
  const value = random.pick(["web", "orders", "prod", "dev", "z1"]);
  return random.pick<Matcher>([
    { kind: "equals", value },
    { kind: "in", values: [value, "z2"] },
    { kind: "not", value },
    { kind: "notIn", values: [value, "web"] },
    { kind: "prefix", value: value.slice(0, 2) },
    { kind: "suffix", value: value.slice(-1) },
    { kind: "present" },
    { kind: "absent" },
  ]);
}

function headerMatcher(random: Random): Matcher {
  const value = random.pick(VALUES);
  return random.pick<Matcher>([
    { kind: "equals", value },
    { kind: "in", values: [value, "w"] },
    { kind: "not", value },
    { kind: "notIn", values: [value, "w"] },
    { kind: "prefix", value: value.slice(0, 1) },
    { kind: "suffix", value: value.slice(-1) },
    { kind: "contains", value: "w" },
    { kind: "present" },
    { kind: "absent" },
  ]);
}

function matchers(
  random: Random,
  names: readonly string[],
  make: (random: Random) => Matcher,
): Readonly<Record<string, Matcher>> {
  return Object.fromEntries(random.list(1, 2, () => [random.pick(names), make(random)]));
}

function token(random: Random): NonNullable<RuleInput["jwt"]> {
  const claim = random.pick<Matcher>([
    { kind: "has", value: random.pick(GROUPS) },
    { kind: "hasAny", values: GROUPS },
    { kind: "equals", value: random.pick(GROUPS) },
    { kind: "not", value: "admins" },
    { kind: "present" },
    { kind: "absent" },
  ]);
  return {
    provider: random.pick(["corp", "corp", "corp", "other"]),
    ...random.maybe(0.4, () => ({ scopes: random.list(1, 2, () => random.pick(SCOPES)) })),
    ...random.maybe(0.5, () => ({ claims: { [random.pick(["groups", "realm.roles", "scope"])]: claim } })),
  };
}

function line(random: Random): string {
  const kind = random.int(10);
  if (kind === 0) return random.pick(["tcp 5432", "tcp *"]);
  if (kind === 1) return `websocket ${pattern(random)}`;
  if (kind === 2) return `grpc ${random.pick(["a", "shop.Orders"])}/${random.pick(["b", "Get", "*"])}`;
  const methods = random.chance(0.25) ? "ANY" : [...new Set(random.list(1, 2, () => random.pick(METHODS)))].join("|");
  return `${methods} ${pattern(random)}`;
}

function pattern(random: Random): string {
  const segments = random.list(1, 4, () => patternSegment(random));
  const rest = random.chance(0.35) ? random.int(segments.length + 1) : -1;
  if (rest !== -1) segments.splice(rest, rest === 0 && random.chance(0.5) ? segments.length : 0, "**");
  return `/${segments.join("/")}${rest !== segments.length - 1 && random.chance(0.15) ? "/" : ""}`;
}

function patternSegment(random: Random): string {
  if (random.chance(0.6)) return encodeURIComponent(random.pick(SEGMENTS));
  return random.pick(["{id}", "{id:int}", "{id:hex}", "{id:slug}", "{id:date}", "{id:uuid}", "{id}.json", "p-{id}"]);
}
