import type { Matcher } from "../../policies/model/index.ts";
import type { PolicyInput, RuleInput, SelectorInput, SetInput, WorkloadInput } from "../../policies/testing/build.ts";
import type { Random } from "./random.ts";

// A mesh as teams write one: services with a few resources each, callers by workload or label, some conditions.

const SERVICES = ["orders", "carts", "catalog", "payments", "invoices", "shipping", "users", "reviews"] as const;
const CALLERS = ["web", "mobile", "admin", "batch", "reports", "partner-api", "search", "mailer"] as const;
const TIERS = ["edge", "app", "data", "jobs"] as const;
const RESOURCES = ["orders", "items", "carts", "invoices", "refunds", "parcels", "labels", "users", "stock"] as const;
export const MESH_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;
export const MESH_HOSTS = ["orders.shop", "api.shop", "internal.shop"] as const;
export const EXPIRY = new Date("2026-06-30T23:59:59.999Z");

/** A mesh with `env` isolation, most of it in `prod`. */
export function generateMesh(random: Random): SetInput {
  const services = SERVICES.filter(() => random.chance(0.6));
  const named = services.length === 0 ? [SERVICES[0]] : services;
  const workloads = [...named, ...CALLERS].map((name) => [name, workload(random, name)] as const);
  return {
    isolate: ["env"],
    workloads: Object.fromEntries(workloads),
    policies: named.map((name) => policy(random, name, named)),
  };
}

function workload(random: Random, name: string): WorkloadInput {
  return { labels: { app: name, tier: random.pick(TIERS), env: random.chance(0.9) ? "prod" : "dev" } };
}

function policy(random: Random, name: string, services: readonly string[]): PolicyInput {
  const resources = [...new Set(random.list(1, 3, () => random.pick(RESOURCES)))];
  const callers = [...services.filter((each) => each !== name), ...CALLERS];
  const rules = random.list(2, 6, () => rule(random, resources, callers));
  return {
    name,
    protects: name,
    allow: rules.map((each, index) => ({ ...each, name: `r${index}` })),
    ...(random.chance(0.3) && { deny: [{ name: "admin", requests: ["ANY /admin/**"] }] }),
  };
}

function rule(random: Random, resources: readonly string[], callers: readonly string[]): RuleInput {
  return {
    from: random.list(1, 2, () => selector(random, callers)),
    requests: [...new Set(random.list(1, 4, () => line(random, resources)))],
    ...random.maybe(0.3, () => ({ headers: header(random) })),
    ...random.maybe(0.2, () => ({ hosts: [random.pick(MESH_HOSTS)] })),
    ...random.maybe(0.2, () => ({ notAfter: EXPIRY })),
  };
}

function selector(random: Random, callers: readonly string[]): SelectorInput {
  if (random.chance(0.6)) return { workload: random.pick(callers) };
  if (random.chance(0.5)) return { labels: { app: random.pick(callers) } };
  const app = random.pick(callers);
  return random.chance(0.5) ? { labels: { tier: random.pick(TIERS) } } : { labels: { app, tier: random.pick(TIERS) } };
}

function header(random: Random): Readonly<Record<string, Matcher>> {
  return random.pick<() => Readonly<Record<string, Matcher>>>([
    () => ({ "content-type": { kind: "prefix", value: "application/json" } }),
    () => ({ "x-tenant": { kind: "in", values: ["acme", "globex"] } }),
    () => ({ "x-api-version": { kind: "equals", value: "2" } }),
    () => ({ "x-request-id": { kind: "present" } }),
  ])();
}

function line(random: Random, resources: readonly string[]): string {
  const resource = random.pick(resources);
  const id = random.pick(["{id:int}", "{id:int}", "{id:uuid}", "{id}"]);
  return random.pick([
    `GET /${resource}`,
    `POST /${resource}`,
    `GET|HEAD /${resource}/${id}`,
    `GET /${resource}/${id}`,
    `PUT|PATCH /${resource}/${id}`,
    `DELETE /${resource}/${id}`,
    `GET /${resource}/${id}/${random.pick(["items", "history", "status"])}`,
    `POST /${resource}/${id}/${random.pick(["items", "cancel", "approve"])}`,
    `GET /v1/${resource}/**`,
    `GET /reports/${resource}/`,
  ]);
}
