import type { CompileOptions } from "../../policies/engine.ts";
import { identityMatches } from "../../policies/match/caller.ts";
import { valueMatches } from "../../policies/match/value.ts";
import type { Attributes, CallerSelector, PolicySet, TokenState } from "../../policies/model/index.ts";
import {
  attributes,
  identityOf,
  type MatcherInput,
  type RequestInput,
  type RuleInput,
  type SetInput,
} from "../../policies/testing/build.ts";
import { parseSpiffeId } from "../../spiffe/index.ts";
import {
  FOREIGN,
  GROUPS,
  HEADERS,
  HOSTS,
  INSTANTS,
  METHODS,
  NAMES,
  PORTS,
  SCOPES,
  SEGMENTS,
  VALUES,
} from "./generate-set.ts";
import type { Random } from "./random.ts";

const UUID = "5ad7750b-a68b-49c0-a8c0-32776b067703";

/** A request at one of the set's workloads, more often than not one that some rule of the set is about. */
export function generateRequest(random: Random, input: SetInput, set: PolicySet): Attributes {
  const aim = random.chance(0.9) ? aimOf(random, input, set) : undefined;
  const to = aim?.to ?? (random.chance(0.93) ? identity(input, random.pick(NAMES)) : identityOf("nobody"));
  const shape = shapeOf(random, aim?.line);
  const from = aim?.from !== undefined && random.chance(0.85) ? aim.from : caller(random, input);
  const request = attributes({ to, port: random.pick(aim?.rule.ports ?? PORTS), ...from, ...shape, now: now(random) });
  const aimed =
    aim === undefined || random.chance(0.15) ? request : { ...request, ...conditions(random, aim.rule, request) };
  const unrecorded = random.maybe(0.08, () => ({
    unrecorded: random.pick<NonNullable<Attributes["unrecorded"]>>([{}, { grpc: true }, { grpc: false }]),
  }));
  return { ...aimed, ...oddities(random, request), ...surroundings(random), ...unrecorded };
}

interface Aim {
  readonly to: string;
  readonly rule: RuleInput;
  readonly line: string | undefined;
  readonly from: RequestInput | undefined;
}

/** A rule to hit: its destination, one of its lines, a caller that it names. */
function aimOf(random: Random, input: SetInput, set: PolicySet): Aim | undefined {
  const effect = random.chance(0.7) ? "allow" : "deny";
  const aims = set.policies.flatMap((policy, index) =>
    policy.destinations.length === 0
      ? []
      : policy[effect].map((rule, at) => ({ policy, rule, source: input.policies[index]?.[effect]?.[at] })),
  );
  if (aims.length === 0) return undefined;
  const { policy, rule, source } = random.pick(aims);
  const line = random.pick(source?.requests ?? ["GET /a"]);
  return { to: random.pick(policy.destinations), rule: source ?? {}, line, from: named(random, rule.from, set) };
}

function named(random: Random, from: readonly CallerSelector[] | undefined, set: PolicySet): RequestInput | undefined {
  const selector = from && random.pick(from);
  if (selector === undefined) return undefined;
  const serial = { more: { callerSerial: "cc" } };
  if (selector.anyone === "anonymous") return { edge: true };
  if (selector.trustDomain !== undefined) return { from: `spiffe://${selector.trustDomain}/billing/a`, ...serial };
  const found = set.workloads.filter((workload) =>
    identityMatches(selector, { kind: "registered", id: workload.identity, workload }, true),
  );
  if (found.length > 0) return { from: random.pick(found).identity.toString(), ...serial };
  return selector.spiffe && { from: `${selector.spiffe.id}/billing/a`, ...serial };
}

/** Makes a request meet the header, query and host conditions of a rule. */
function conditions(random: Random, rule: RuleInput, request: Attributes): Partial<Attributes> {
  if (request.http === undefined) return {};
  const headers = new Map(request.http.headers);
  for (const [name, matcher] of Object.entries(rule.headers ?? {})) headers.set(name, valuesFor(random, matcher));
  const query = Object.entries(rule.query ?? {}).flatMap(([name, matcher]) =>
    valuesFor(random, matcher).map((value) => `${name}=${encodeURIComponent(value)}`),
  );
  const path = query.length === 0 ? request.http.path : `${request.http.path.split("?")[0]}?${query.join("&")}`;
  const host = rule.hosts === undefined ? request.http.host : random.pick(rule.hosts);
  return { http: { ...request.http, headers, path, host } };
}

function valuesFor(random: Random, matcher: MatcherInput): readonly string[] {
  if (typeof matcher === "string") return [matcher];
  const values = VALUES.filter((value) => valueMatches(matcher, value));
  return values.length === 0 ? [] : random.list(1, 2, () => random.pick(values));
}

/** Revocations and expiry, both rare. */
export function generateOptions(random: Random, set: SetInput): CompileOptions {
  return {
    epoch: random.int(3),
    revision: random.int(100),
    ...(random.chance(0.3) && {
      revocations: {
        sequence: 1,
        serials: new Set(random.chance(0.5) ? ["aa"] : []),
        identities: new Set(random.chance(0.2) ? [identity(set, random.pick(NAMES))] : []),
      },
    }),
    ...(random.chance(0.15) && {
      expiresAt: new Date("2026-06-01T11:00:00Z"),
      maxStaleMs: random.pick([0, 3_600_000, 9e9]),
    }),
  };
}

function identity(set: SetInput, name: string): string {
  return identityOf(name, set.workloads[name]?.namespace ?? "shop");
}

function now(random: Random): Date {
  return new Date(random.chance(0.8) ? "2026-06-01T12:00:00Z" : random.pick(INSTANTS));
}

function caller(random: Random, set: SetInput): RequestInput {
  const serial = { more: { callerSerial: random.pick(["aa", "bb", "cc"]) } };
  const kind = random.int(30);
  if (kind < 21) return { from: identity(set, random.pick(NAMES)), ...serial };
  if (kind < 23) return { from: `spiffe://partner.example/${random.pick(["billing/a", "billing", "x"])}`, ...serial };
  if (kind < 26) return { edge: true };
  if (kind === 26) return { from: `spiffe://${random.pick(FOREIGN)}/billing`, ...serial };
  if (kind === 27) return { from: identityOf(random.pick(["ghost", "web/child"])), ...serial };
  if (kind === 28) return { from: `spiffe://${random.pick(["shop.example", ...FOREIGN])}/cellwall/agent/a`, ...serial };
  return random.pick<RequestInput>([
    {},
    { more: { callerProblem: "two URI SANs" } },
    { edge: true, from: identity(set, "web") },
  ]);
}

function shapeOf(random: Random, line: string | undefined): RequestInput {
  if (line === undefined) return http(random, random.pick(METHODS), randomPath(random));
  const [first = "", second = ""] = line.split(" ");
  if (first === "tcp") return random.chance(0.9) ? { tcp: true } : http(random, "GET", "/");
  if (first === "websocket") return { ...http(random, "GET", instance(random, second)), upgrade: upgrade(random) };
  if (first === "grpc") {
    const path = `/${second.replace("*", random.pick(["Get", "b"]))}`;
    const headers = { "content-type": random.chance(0.9) ? grpcType(random) : "application/json" };
    return { ...http(random, random.chance(0.9) ? "POST" : "GET", path), headers };
  }
  const method = first === "ANY" || random.chance(0.1) ? random.pick(METHODS) : random.pick(first.split("|"));
  return http(random, method, instance(random, second));
}

function http(random: Random, method: string, path: string): RequestInput {
  return {
    method,
    path: `${disguise(random, path)}${query(random)}`,
    host: random.chance(0.95)
      ? random.pick(HOSTS)
      : random.pick(["ORDERS.shop.:8443", "a,b", "x@y", "a b", "", "[::1]:80"]),
    headers: headers(random),
    ...(random.chance(0.04) && { upgrade: upgrade(random) }),
  };
}

function upgrade(random: Random): string {
  return random.pick(["websocket", "websocket", "websocket", "h2c", ""]);
}

function grpcType(random: Random): string {
  return random.pick([
    "application/grpc",
    "application/grpc+proto",
    "application/grpc;x=1",
    "application/GRPC",
    "application/grpc-web",
  ]);
}

function headers(random: Random): Readonly<Record<string, readonly string[]>> {
  const value = (): string =>
    random.chance(0.9)
      ? random.pick(VALUES)
      : random.pick(["", "v,w", "v , v", "é", "v\tw", "\u0001", grpcType(random)]);
  return Object.fromEntries(random.list(0, 2, () => [random.pick(HEADERS), random.list(0, 2, value)]));
}

function query(random: Random): string {
  if (random.chance(0.6)) return "";
  return `?${random.list(0, 3, () => random.pick(["q=v", "q=w", "r=v", "q=v,w", "q", "q=%76", "%71=v", "q=v+w", "q=%zz", "r=v;q=v", "q=%00", "q=%c3%a9"])).join("&")}`;
}

function randomPath(random: Random): string {
  const segments = random.list(0, 4, () => encodeURIComponent(random.pick(SEGMENTS)));
  return `/${segments.join("/")}${random.chance(0.15) ? "/" : ""}`;
}

/** A path that a pattern is about, or nearly. */
function instance(random: Random, pattern: string): string {
  const segments = pattern
    .slice(1)
    .split("/")
    .flatMap((segment) => fill(random, segment));
  if (random.chance(0.08)) segments.push("");
  if (random.chance(0.06)) segments.pop();
  return `/${segments.join("/")}`;
}

function fill(random: Random, segment: string): readonly string[] {
  if (segment === "**")
    return random
      .list(random.chance(0.2) ? 0 : 1, 3, () => random.pick(["a", "b", "42", ""]))
      .filter((x, i, all) => x !== "" || i === all.length - 1);
  const value = random.chance(0.85)
    ? random.pick(["42", "7f", "a", "2026-02-28", UUID])
    : random.pick(["", "A", "2026-02-30", "1".repeat(20), "-a", UUID.toUpperCase()]);
  return [segment.replace(/\{[^}]*\}/, value)];
}

/** Spells a path in another way, or in one that must be refused. */
function disguise(random: Random, path: string): string {
  if (random.chance(0.93)) return path;
  return random.pick<(path: string) => string>([
    (text) => text.replace("a", "%61"),
    (text) => text.toUpperCase(),
    (text) => `/x/..${text}`,
    (text) => text.replace("/", "//"),
    (text) => `${text};v=1`,
    (text) => `${text}%2Fa`,
    (text) => `${text}#x`,
    (text) => text.slice(1),
    (text) => `${text}/;x`,
  ])(path);
}

function surroundings(random: Random): Partial<Attributes> {
  return {
    ...(random.chance(0.85) && {
      peerAddress: random.pick(["10.1.2.3", "::ffff:10.1.2.3", "fd00::1", "192.0.2.1", "nonsense"]),
    }),
    ...(random.chance(0.15) && { withheldHeaders: new Set(random.list(1, 2, () => random.pick(HEADERS))) }),
    ...(random.chance(0.8) && { claims: new Map([["corp", tokenState(random)]]) }),
  };
}

function tokenState(random: Random): TokenState {
  if (random.chance(0.3)) return { kind: "absent" };
  const seconds = Date.parse("2026-06-01T12:00:00Z") / 1_000;
  const payload: Record<string, unknown> = {
    exp: random.chance(0.9) ? seconds + 60 : random.pick([seconds, "soon", undefined]),
  };
  if (random.chance(0.7)) payload.groups = random.pick<unknown>([[...GROUPS], ["staff"], "admins", 7, [{}], [], null]);
  if (random.chance(0.6)) payload.scope = random.list(0, 2, () => random.pick(SCOPES)).join(" ");
  if (random.chance(0.2)) payload.scp = [random.pick(SCOPES)];
  if (random.chance(0.3)) payload.realm = { roles: ["admins"] };
  if (random.chance(0.1)) payload["realm.roles"] = ["staff"];
  if (random.chance(0.1)) payload.nbf = random.pick([seconds - 1, seconds + 1]);
  return { kind: "verified", payload };
}

/** What no sidecar should ever send. */
function oddities(random: Random, request: Attributes): Partial<Attributes> {
  if (random.chance(0.99)) return {};
  return random.pick<Partial<Attributes>>([
    { http: request.http ?? { method: "GET", path: "/", host: "h", headers: new Map(), protocol: "HTTP/2" }, tcp: {} },
    { now: new Date(Number.NaN) },
    { destination: parseSpiffeId("spiffe://stranger.example/x") },
  ]);
}
