import { parseSpiffeId, parseTrustDomain } from "../../spiffe/index.ts";
import { parseAddress } from "../match/address.ts";
import { canonicalHost } from "../match/host.ts";
import { optionalMatches } from "../match/value.ts";
import type {
  AccessPolicy,
  Attributes,
  CallerSelector,
  Cidr,
  HttpAttributes,
  Matcher,
  Mesh,
  Mode,
  PolicySet,
  Protects,
  Rule,
  Workload,
} from "../model/index.ts";
import { requestLine } from "./request-line.ts";
import { SPAN } from "./span.ts";

// Builds policy sets and attributes by hand, for tests of the engine alone: no YAML, no resolver.

export type MatcherInput = string | Matcher;
type Matchers = Readonly<Record<string, MatcherInput>>;

export interface SelectorInput {
  readonly workload?: string;
  readonly labels?: Matchers;
  readonly namespace?: string;
  readonly spiffe?: string;
  readonly trustDomain?: string;
  readonly anyone?: "authenticated" | "anonymous";
  readonly addresses?: readonly string[];
}

export interface RuleInput {
  readonly name?: string;
  readonly from?: readonly SelectorInput[];
  readonly requests?: readonly string[];
  readonly hosts?: readonly string[];
  readonly ports?: readonly number[];
  readonly headers?: Matchers;
  readonly query?: Matchers;
  readonly jwt?: { readonly provider: string; readonly scopes?: readonly string[]; readonly claims?: Matchers };
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  readonly except?: { readonly from?: readonly SelectorInput[]; readonly requests?: readonly string[] };
  readonly across?: readonly string[];
  readonly always?: boolean;
}

export interface PolicyInput {
  readonly name?: string;
  readonly namespace?: string;
  readonly stage?: "live" | "candidate";
  readonly action?: "replace" | "withdraw";
  /** A workload's name, or labels of workloads; of the policy's own namespace. */
  readonly protects?: string | Matchers;
  readonly allow?: readonly RuleInput[];
  readonly deny?: readonly RuleInput[];
}

export interface WorkloadInput {
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly mode?: Mode;
  readonly caseInsensitive?: boolean;
  readonly matrixParameters?: "reject" | "ignore";
}

export interface SetInput {
  readonly trustDomain?: string;
  readonly isolate?: readonly string[];
  readonly federated?: readonly string[];
  /** By name. */
  readonly workloads: Readonly<Record<string, WorkloadInput>>;
  readonly policies: readonly PolicyInput[];
}

export const TRUST_DOMAIN = "shop.example";

export function identityOf(name: string, namespace = "shop"): string {
  return `spiffe://${TRUST_DOMAIN}/${namespace}/${name}`;
}

export function buildSet(input: SetInput): PolicySet {
  const trustDomain = parseTrustDomain(input.trustDomain ?? TRUST_DOMAIN);
  const mesh: Mesh = {
    trustDomain,
    defaultMode: "enforce",
    isolate: input.isolate ?? [],
    unregistered: "deny",
    federated: (input.federated ?? []).map(parseTrustDomain),
    jwtProviders: new Map(),
  };
  const workloads = Object.entries(input.workloads).map(([name, workload]) => buildWorkload(name, workload));
  return {
    mesh,
    nodes: [],
    workloads,
    unnamedCallers: [],
    destinations: workloads.map((workload) => workload.identity.toString()),
    policies: input.policies.map((policy, index) => buildPolicy(policy, index, workloads)),
    diagnostics: [],
  };
}

function buildWorkload(name: string, input: WorkloadInput): Workload {
  const namespace = input.namespace ?? "shop";
  return {
    namespace,
    name,
    labels: new Map(Object.entries(input.labels ?? {})),
    identity: parseSpiffeId(identityOf(name, namespace)),
    mode: input.mode ?? "enforce",
    attest: [],
    paths: {
      caseInsensitive: input.caseInsensitive ?? false,
      matrixParameters: input.matrixParameters ?? "reject",
    },
    span: SPAN,
  };
}

function buildPolicy(input: PolicyInput, index: number, workloads: readonly Workload[]): AccessPolicy {
  const namespace = input.namespace ?? "shop";
  const protects: Protects =
    typeof input.protects === "string"
      ? { workload: { namespace, name: input.protects }, namespaces: [namespace] }
      : { labels: matchers(input.protects ?? {}), namespaces: [namespace] };
  return {
    namespace,
    name: input.name ?? `p${index}`,
    stage: input.stage ?? "live",
    action: input.action ?? "replace",
    protects,
    destinations: workloads
      .filter((workload) => isProtected(protects, workload))
      .map((workload) => workload.identity.toString())
      .sort(),
    allow: (input.allow ?? []).map((rule, at) => buildRule("allow", rule, `a${at}`, namespace)),
    deny: (input.deny ?? []).map((rule, at) => buildRule("deny", rule, `d${at}`, namespace)),
    span: SPAN,
  };
}

function isProtected(protects: Protects, workload: Workload): boolean {
  if (!protects.namespaces.includes(workload.namespace)) return false;
  if (protects.workload !== undefined) return protects.workload.name === workload.name;
  return [...(protects.labels ?? [])].every(([key, matcher]) => optionalMatches(matcher, workload.labels.get(key)));
}

function buildRule(effect: Rule["effect"], input: RuleInput, name: string, namespace: string): Rule {
  const { jwt, except } = input;
  return {
    effect,
    name: input.name ?? name,
    ...(input.from && { from: input.from.map((entry) => buildSelector(entry, namespace)) }),
    ...(input.requests && { requests: input.requests.map(requestLine) }),
    ...(input.hosts && { hosts: input.hosts.map(canonicalText) }),
    ...(input.ports && { ports: input.ports }),
    headers: matchers(input.headers ?? {}),
    query: matchers(input.query ?? {}),
    ...(jwt && { jwt: { provider: jwt.provider, scopes: jwt.scopes ?? [], claims: matchers(jwt.claims ?? {}) } }),
    ...(input.notBefore && { notBefore: input.notBefore }),
    ...(input.notAfter && { notAfter: input.notAfter }),
    ...(except && {
      except: {
        ...(except.from && { from: except.from.map((entry) => buildSelector(entry, namespace)) }),
        ...(except.requests && { requests: except.requests.map(requestLine) }),
      },
    }),
    across: input.across ?? [],
    always: input.always ?? false,
    span: SPAN,
  };
}

function buildSelector(input: SelectorInput, namespace: string): CallerSelector {
  const [workloadNamespace, name] = input.workload?.includes("/")
    ? input.workload.split("/")
    : [namespace, input.workload];
  return {
    ...(name !== undefined && workloadNamespace !== undefined && { workload: { namespace: workloadNamespace, name } }),
    ...(input.labels && { labels: matchers(input.labels), namespace: input.namespace ?? namespace }),
    ...(input.spiffe && {
      spiffe: {
        id: parseSpiffeId(input.spiffe.replace(/\/\*\*$/, "")),
        descendants: input.spiffe.endsWith("/**"),
      },
    }),
    ...(input.trustDomain && { trustDomain: parseTrustDomain(input.trustDomain) }),
    ...(input.anyone && { anyone: input.anyone }),
    ...(input.addresses && { addresses: input.addresses.map(cidr) }),
    span: SPAN,
  };
}

function cidr(text: string): Cidr {
  const [address = "", length] = text.split("/");
  const bytes = parseAddress(address);
  if (bytes === undefined) throw new TypeError(`not an address: ${text}`);
  return { text, bytes, prefixLength: length === undefined ? bytes.length * 8 : Number(length) };
}

function matchers(input: Matchers): ReadonlyMap<string, Matcher> {
  return new Map(
    Object.entries(input).map(([key, value]) => [key, typeof value === "string" ? { kind: "equals", value } : value]),
  );
}

function canonicalText(text: string): string {
  const read = canonicalHost(text);
  return read.ok ? read.host : text;
}

export interface RequestInput {
  /** A workload's name, a SPIFFE ID, or nothing for a caller without identity. */
  readonly from?: string;
  readonly to?: string;
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly upgrade?: string;
  /** A connection instead of a request. */
  readonly tcp?: boolean;
  readonly port?: number;
  readonly edge?: boolean;
  readonly now?: Date;
  readonly more?: Partial<Attributes>;
}

export const NOW = new Date("2026-06-01T12:00:00Z");

export function attributes(input: RequestInput): Attributes {
  const http: HttpAttributes = {
    method: input.method ?? "GET",
    path: input.path ?? "/",
    host: input.host ?? "orders.shop",
    headers: new Map(
      Object.entries(input.headers ?? {}).map(([name, value]) => [name, typeof value === "string" ? [value] : value]),
    ),
    protocol: "HTTP/1.1",
    ...(input.upgrade !== undefined && { upgrade: input.upgrade }),
  };
  return {
    ...(input.from !== undefined && { caller: parseSpiffeId(idText(input.from)) }),
    destination: parseSpiffeId(idText(input.to ?? "orders")),
    listener: { port: input.port ?? 8443, kind: input.edge ? "edge" : "mesh" },
    ...(input.tcp ? { tcp: {} } : { http }),
    now: input.now ?? NOW,
    ...input.more,
  };
}

function idText(name: string): string {
  return name.startsWith("spiffe://") ? name : identityOf(name);
}
