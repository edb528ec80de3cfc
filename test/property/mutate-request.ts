import type { Lack } from "../../policies/engine.ts";
import { identityMatches } from "../../policies/match/caller.ts";
import type { Attributes, CallerSelector, HttpAttributes, PolicySet, Workload } from "../../policies/model/index.ts";
import { attributes, buildSet, type RuleInput, type SetInput } from "../../policies/testing/build.ts";
import { EXPIRY, MESH_HOSTS, MESH_METHODS } from "./generate-mesh.ts";
import type { Random } from "./random.ts";

/** What is changed of an allowed request; the true cause of its denial. */
export const MUTATIONS = [
  "caller",
  "label",
  "method",
  "segment",
  "trailing-slash",
  "header-value",
  "header-missing",
  "expiry",
  "host",
  "isolation",
] as const;
export type Mutation = (typeof MUTATIONS)[number];

/** A request, the set that decides it, and what made it: all that a mutation needs. */
export interface Asked {
  readonly input: SetInput;
  readonly set: PolicySet;
  readonly attributes: Attributes;
  readonly rule: RuleInput;
}

/** A denied request and how to recognise its true cause among what a line lacks. */
export interface Mutated {
  readonly set: PolicySet;
  readonly attributes: Attributes;
  readonly isCause: (lack: Lack) => boolean;
}

/** A request that some line of the mesh is about, with all that its rule asks for; whether it is allowed is for `decide` to say. */
export function requestOfMesh(random: Random, input: SetInput, set: PolicySet): Asked | undefined {
  const at = random.int(set.policies.length);
  const [policy, source] = [set.policies[at], input.policies[at]];
  const index = random.int(policy?.allow.length ?? 1);
  const [rule, written] = [policy?.allow[index], source?.allow?.[index]];
  if (policy === undefined || rule === undefined || written === undefined) return undefined;
  const caller = callerOf(random, random.pick(rule.from ?? []), set);
  if (caller === undefined) return undefined;
  const [methods = "", pattern = ""] = random.pick(written.requests ?? []).split(" ");
  const request = attributes({
    from: caller.identity.toString(),
    to: random.pick(policy.destinations),
    method: random.pick(methods.split("|")),
    path: instance(random, pattern),
    host: written.hosts === undefined ? random.pick(MESH_HOSTS) : random.pick(written.hosts),
    headers: Object.fromEntries(Object.keys(written.headers ?? {}).map((name) => [name, goodValue(random, name)])),
  });
  return { input, set, attributes: request, rule: written };
}

function callerOf(random: Random, selector: CallerSelector, set: PolicySet): Workload | undefined {
  const found = set.workloads.filter((workload) =>
    identityMatches(selector, { kind: "registered", id: workload.identity, workload }, true),
  );
  return found.length === 0 ? undefined : random.pick(found);
}

function goodValue(random: Random, name: string): string {
  const values: Readonly<Record<string, readonly string[]>> = {
    "content-type": ["application/json", "application/json; charset=utf-8"],
    "x-tenant": ["acme", "globex"],
    "x-api-version": ["2"],
  };
  return random.pick(values[name] ?? ["7f3a", "a1"]);
}

const UUID = "5ad7750b-a68b-49c0-a8c0-32776b067703";

function instance(random: Random, pattern: string): string {
  return pattern
    .replace("{id:int}", String(random.int(10_000)))
    .replace("{id:uuid}", UUID)
    .replace("{id}", random.pick(["42", "summer-sale", UUID]))
    .replace("**", random.pick(["a", "a/b", "2026/06"]));
}

/** The request with one thing changed, or nothing where it has no such thing. */
export function mutate(random: Random, mutation: Mutation, asked: Asked): Mutated | undefined {
  const { http } = asked.attributes;
  if (http === undefined) return undefined;
  switch (mutation) {
    case "caller":
      return otherCaller(random, asked);
    case "label":
      return otherLabel(random, asked);
    case "isolation":
      return relabelled(asked, "env", "dev", (lack) => lack.kind === "isolation" && lack.key === "env");
    case "method": {
      const method = random.pick(MESH_METHODS.filter((each) => each !== http.method));
      return withHttp(asked, { method }, (lack) => lack.kind === "method");
    }
    case "segment":
      return otherSegment(random, asked, http);
    case "trailing-slash": {
      const path = http.path.endsWith("/") ? http.path.slice(0, -1) : `${http.path}/`;
      return withHttp(asked, { path }, (lack) => lack.kind === "trailing-slash");
    }
    case "header-value":
    case "header-missing":
      return otherHeader(random, mutation, asked, http);
    case "expiry": {
      const now = new Date(EXPIRY.getTime() + 1 + random.int(100_000_000));
      if (asked.rule.notAfter === undefined) return undefined;
      return { set: asked.set, attributes: { ...asked.attributes, now }, isCause: (lack) => lack.kind === "time" };
    }
    case "host": {
      const host = random.pick([...MESH_HOSTS, "other.example"].filter((each) => each !== http.host));
      return asked.rule.hosts && withHttp(asked, { host }, (lack) => lack.kind === "host");
    }
  }
}

function withHttp(asked: Asked, change: Partial<HttpAttributes>, isCause: Mutated["isCause"]): Mutated | undefined {
  const { http } = asked.attributes;
  if (http === undefined) return undefined;
  return { set: asked.set, attributes: { ...asked.attributes, http: { ...http, ...change } }, isCause };
}

/** Another workload of the same environment: what is wrong with it may be its name or its labels. */
function otherCaller(random: Random, { set, attributes: request }: Asked): Mutated | undefined {
  const own = set.workloads.find(({ identity }) => identity.toString() === request.caller?.toString());
  const others = set.workloads.filter(
    (each) =>
      each !== own &&
      each.labels.get("env") === own?.labels.get("env") &&
      each.identity.toString() !== request.destination.toString(),
  );
  if (others.length === 0) return undefined;
  return {
    set,
    attributes: { ...request, caller: random.pick(others).identity },
    isCause: (lack) => lack.kind === "caller" || lack.kind === "label",
  };
}

/** The caller with another value of a label that the rule asks for, or without it. */
function otherLabel(random: Random, asked: Asked): Mutated | undefined {
  const keys = (asked.rule.from ?? []).flatMap(({ labels }) => Object.keys(labels ?? {}));
  if (keys.length === 0) return undefined;
  const key = random.pick(keys);
  const value = random.pick([undefined, "other", "legacy"]);
  return relabelled(asked, key, value, (lack) => lack.kind === "label" && lack.key === key);
}

function relabelled(
  { input, attributes: request }: Asked,
  key: string,
  value: string | undefined,
  isCause: Mutated["isCause"],
): Mutated | undefined {
  const name = request.caller?.path.split("/").at(-1) ?? "";
  const workload = input.workloads[name];
  if (workload === undefined) return undefined;
  const { [key]: _, ...others } = workload.labels ?? {};
  const labels = value === undefined ? others : { ...others, [key]: value };
  const set = buildSet({ ...input, workloads: { ...input.workloads, [name]: { ...workload, labels } } });
  return { set, attributes: request, isCause };
}

function otherSegment(random: Random, asked: Asked, http: HttpAttributes): Mutated | undefined {
  const segments = http.path.slice(1).split("/");
  const at = random.int(segments.length);
  const own = segments[at] ?? "";
  if (own === "") return undefined;
  const other = random.pick([typo(random, own), random.pick(["admin", "export", "x", "99", "all"])]);
  if (other === own || other === "") return undefined;
  const path = `/${segments.with(at, other).join("/")}`;
  return withHttp(asked, { path }, (lack) => lack.kind === "segment" && lack.position === at + 1);
}

/** Two neighbouring characters swapped, one left out, or one too many. */
function typo(random: Random, text: string): string {
  const at = random.int(text.length);
  return random.pick([
    `${text.slice(0, at)}${text.slice(at + 1)}`,
    `${text.slice(0, at)}x${text.slice(at)}`,
    `${text.slice(0, at)}${text.charAt(at + 1)}${text.charAt(at)}${text.slice(at + 2)}`,
  ]);
}

function otherHeader(
  random: Random,
  mutation: "header-value" | "header-missing",
  asked: Asked,
  http: HttpAttributes,
): Mutated | undefined {
  const names = [...http.headers.keys()];
  if (names.length === 0) return undefined;
  const name = random.pick(names);
  const headers = new Map(http.headers);
  if (mutation === "header-missing") headers.delete(name);
  else headers.set(name, [random.pick(["wrong", "text/plain", "é"])]);
  return withHttp(asked, { headers }, (lack) => lack.kind === "header" && lack.name === name);
}
