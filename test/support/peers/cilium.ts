import type { Random } from "../../property/random.ts";
import type { Verdict } from "./hold-import.ts";
import { NAMESPACES, PODS, type Pod, within } from "./kubernetes.ts";

// Cilium's network policies, restated: denials at layer 3 and 4 win, then what any rule allows, at layer 7 where all of them ask.

type Labels = Readonly<Record<string, string>>;

interface Selector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
    readonly values?: readonly string[];
  }[];
}

interface HttpRule {
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  readonly headers?: readonly string[];
}

interface PortRule {
  readonly ports?: readonly { readonly port: string; readonly endPort?: number; readonly protocol?: string }[];
  readonly http?: readonly HttpRule[];
}

interface Rule {
  readonly endpoints?: readonly Selector[];
  readonly entities?: readonly string[];
  readonly cidrs?: readonly string[];
  readonly toPorts?: readonly PortRule[];
}

type Direction = "ingress" | "egress";

interface Spec {
  readonly endpointSelector: Selector;
  readonly ingress?: readonly Rule[];
  readonly ingressDeny?: readonly Rule[];
  readonly egress?: readonly Rule[];
  readonly egressDeny?: readonly Rule[];
  readonly enableDefaultDeny?: Readonly<Partial<Record<Direction, boolean>>>;
}

export interface CiliumPolicy {
  readonly name: string;
  /** Absent: of the cluster. */
  readonly namespace?: string;
  readonly spec: Spec;
}

export interface CiliumRequest {
  /** Absent: somebody from outside the cluster. */
  readonly from: Pod | undefined;
  readonly to: Pod;
  readonly port: number;
  readonly address: string;
  readonly http?: {
    readonly method: string;
    /** With its query. */
    readonly target: string;
    readonly host: string;
    readonly headers: Readonly<Record<string, string>>;
  };
}

/** Pods as Cilium knows them: one lacks a name for its port. */
export const ENDPOINTS: readonly Pod[] = PODS.map((pod) =>
  pod.name === "bare" ? { ...pod, namedPorts: { web: 8081 } } : pod,
);

const LABELS = { app: ["web", "api", "db", "none"], "k8s:tier": ["front", "back"] };
const ELSEWHERE = {
  "k8s:io.kubernetes.pod.namespace": ["x", "y"],
  "io.cilium.k8s.namespace.labels.env": ["prod", "dev"],
  "io.cilium.k8s.policy.serviceaccount": ["web", "api"],
};

function selectorOf(random: Random): Selector {
  const keys: Readonly<Record<string, readonly string[]>> = random.chance(0.75) ? LABELS : { ...LABELS, ...ELSEWHERE };
  const pick = (): string => random.pick(Object.keys(keys));
  const matchLabels = random.maybe(0.6, () => {
    const key = pick();
    return { [key]: random.pick(keys[key] ?? []) };
  });
  const matchExpressions = random.maybe(0.25, () =>
    random.list(1, 1, () => {
      const key = pick();
      const operator = random.pick(["In", "NotIn", "Exists", "DoesNotExist"] as const);
      const values = random.list(1, 2, () => random.pick(keys[key] ?? []));
      return operator === "In" || operator === "NotIn" ? { key, operator, values } : { key, operator };
    }),
  );
  return { ...(matchLabels && { matchLabels }), ...(matchExpressions && { matchExpressions }) };
}

const PATHS = ["/a", "/a/.*", "/a(/.*)?", "/a/[0-9]+", "/(a|b)", "/a(\\?.*)?", "/a\\?q=1", ".*", "/a/b/?"];

function httpOf(random: Random): HttpRule {
  const method = random.maybe(0.6, () => random.pick(["GET", "POST", "GET|POST", "P.*", "HEAD"]));
  const path = random.maybe(0.6, () => random.pick(PATHS));
  const host = random.maybe(0.15, () => random.pick(["api.example", "(api|web)\\.example"]));
  const headers = random.maybe(0.2, () => [random.pick(["X-Team: a", "X-Team", "X-Mode: 1"])]);
  return { ...(method && { method }), ...(path && { path }), ...(host && { host }), ...(headers && { headers }) };
}

function portRuleOf(random: Random, isHttp: boolean): PortRule {
  const ports = random.maybe(0.9, () =>
    random.list(1, 2, () => {
      const protocol = random.maybe(0.6, () => random.pick(["TCP", "ANY", "UDP"]));
      const port = random.pick<{ port: string; endPort?: number }>([
        { port: "8080" },
        { port: "8080" },
        { port: "9090" },
        { port: "admin" },
        { port: "8000", endPort: 8100 },
      ]);
      return { ...port, ...(protocol && { protocol }) };
    }),
  );
  const http = isHttp ? random.maybe(0.5, () => random.list(1, 2, () => httpOf(random))) : undefined;
  return { ...(ports && { ports }), ...(http && { http }) };
}

function ruleOf(random: Random, isDeny: boolean): Rule {
  const toPorts = random.maybe(0.5, () => random.list(1, 2, () => portRuleOf(random, !isDeny)));
  const who = random.int(10);
  const peers: Rule =
    who < 6
      ? { endpoints: random.list(who === 0 ? 0 : 1, 2, () => (random.chance(0.1) ? {} : selectorOf(random))) }
      : who === 6
        ? { entities: [random.pick(["all", "world", "cluster"])] }
        : who === 7
          ? { cidrs: [random.pick(["10.0.0.0/16", "0.0.0.0/0", "192.0.2.7/32"])] }
          : {};
  return { ...peers, ...(toPorts && { toPorts }) };
}

/** A few policies, of namespaces and of the cluster. */
export function ciliumPoliciesOf(random: Random): readonly CiliumPolicy[] {
  return random
    .list(0, 3, () => random.int(9))
    .map((_, index) => {
      const namespace = random.maybe(0.75, () => random.pick(["x", "y"]));
      const rules = (chance: number, isDeny: boolean): readonly Rule[] | undefined =>
        random.maybe(chance, () => random.list(1, 2, () => ruleOf(random, isDeny)));
      const [ingress, ingressDeny] = [rules(0.8, false), rules(0.2, true)];
      const [egress, egressDeny] = [rules(0.15, false), rules(0.1, true)];
      const enableDefaultDeny = random.maybe(0.15, () => ({
        [random.pick(["ingress", "egress"])]: random.chance(0.4),
      }));
      const some = ingress ?? ingressDeny ?? egress ?? egressDeny;
      return {
        name: `p${index}`,
        ...(namespace && { namespace }),
        spec: {
          endpointSelector: random.chance(0.3) ? {} : selectorOf(random),
          ...(ingress && { ingress }),
          ...(ingressDeny && { ingressDeny }),
          ...(egress && { egress }),
          ...(egressDeny && { egressDeny }),
          ...(some === undefined && { ingress: [{}] }),
          ...(enableDefaultDeny && { enableDefaultDeny }),
        },
      };
    });
}

export function documentOf({ name, namespace, spec }: CiliumPolicy): unknown {
  const { ingress, ingressDeny, egress, egressDeny, ...rest } = spec;
  return {
    apiVersion: "cilium.io/v2",
    kind: namespace === undefined ? "CiliumClusterwideNetworkPolicy" : "CiliumNetworkPolicy",
    metadata: { name, ...(namespace && { namespace }) },
    spec: {
      ...rest,
      ...(ingress && { ingress: ingress.map((rule) => written(rule, "from")) }),
      ...(ingressDeny && { ingressDeny: ingressDeny.map((rule) => written(rule, "from")) }),
      ...(egress && { egress: egress.map((rule) => written(rule, "to")) }),
      ...(egressDeny && { egressDeny: egressDeny.map((rule) => written(rule, "to")) }),
    },
  };
}

function written({ endpoints, entities, cidrs, toPorts }: Rule, side: "from" | "to"): unknown {
  return {
    ...(endpoints && { [`${side}Endpoints`]: endpoints }),
    ...(entities && { [`${side}Entities`]: entities }),
    ...(cidrs && { [`${side}CIDR`]: cidrs }),
    ...(toPorts && {
      toPorts: toPorts.map(({ ports, http }) => ({ ...(ports && { ports }), ...(http && { rules: { http } }) })),
    }),
  };
}

export function ciliumVerdict(policies: readonly CiliumPolicy[], request: CiliumRequest): Verdict {
  const { from, to } = request;
  const entered = passes(policies, "ingress", to, from, request);
  const left = from === undefined || passes(policies, "egress", from, to, request);
  return entered && left ? "allow" : "deny";
}

function passes(
  policies: readonly CiliumPolicy[],
  direction: Direction,
  subject: Pod,
  other: Pod | undefined,
  request: CiliumRequest,
): boolean {
  const own = policies.filter(
    ({ namespace, spec }) =>
      (namespace === undefined || namespace === subject.namespace) &&
      selects(spec.endpointSelector, subject, namespace),
  );
  const meets = (rule: Rule, home: string | undefined): boolean => isPeer(rule, other, home, request);
  const denied = own.some(({ namespace, spec }) =>
    (spec[`${direction}Deny`] ?? []).some((rule) => meets(rule, namespace) && opens(rule, request, false)),
  );
  if (denied) return false;
  const closed = own.some(
    ({ spec }) =>
      spec.enableDefaultDeny?.[direction] ?? (spec[direction] !== undefined || spec[`${direction}Deny`] !== undefined),
  );
  const allowed = own.some(({ namespace, spec }) =>
    (spec[direction] ?? []).some((rule) => meets(rule, namespace) && opens(rule, request, true)),
  );
  return !closed || allowed;
}

/** A rule that names nothing at all selects nobody. Pods are never told by their addresses. */
function isPeer(rule: Rule, other: Pod | undefined, home: string | undefined, { address }: CiliumRequest): boolean {
  const { endpoints, entities, cidrs, toPorts } = rule;
  if (endpoints === undefined && entities === undefined && cidrs === undefined) return toPorts !== undefined;
  return (
    endpoints?.some((selector) => other !== undefined && selects(selector, other, home)) === true ||
    entities?.some((one) => one === "all" || (one === "world") === (other === undefined)) === true ||
    cidrs?.some((one) => other === undefined && within(address, one)) === true
  );
}

function opens({ toPorts }: Rule, request: CiliumRequest, withHttp: boolean): boolean {
  if (toPorts === undefined) return true;
  return toPorts.some(
    ({ ports, http }) =>
      (ports === undefined || ports.some((one) => isPort(one, request))) &&
      (!withHttp || http === undefined || http.some((rule) => isHttp(rule, request.http))),
  );
}

function isPort(
  { port, endPort, protocol = "ANY" }: { readonly port: string; readonly endPort?: number; readonly protocol?: string },
  { port: asked, to }: CiliumRequest,
): boolean {
  if (protocol === "UDP") return false;
  const first = /^\d+$/.test(port) ? Number(port) : to.namedPorts[port];
  return first !== undefined && asked >= first && asked <= (endPort ?? first);
}

function isHttp({ method, path, host, headers = [] }: HttpRule, asked: CiliumRequest["http"]): boolean {
  if (asked === undefined) return false;
  const whole = (regex: string | undefined, text: string): boolean =>
    regex === undefined || new RegExp(`^(?:${regex})$`).test(text);
  return (
    whole(method, asked.method) &&
    whole(path, asked.target) &&
    whole(host, asked.host) &&
    headers.every((one) => {
      const [name = "", value] = one.split(": ");
      const given = asked.headers[name.toLowerCase()];
      return value === undefined ? given !== undefined : given === value;
    })
  );
}

function selects(selector: Selector, pod: Pod, home: string | undefined): boolean {
  const { matchLabels = {}, matchExpressions = [] } = selector;
  const keys = [...Object.keys(matchLabels), ...matchExpressions.map(({ key }) => key)];
  const isAnywhere = keys.some(
    (key) => key.includes("io.kubernetes.pod.namespace") || key.includes("namespace.labels"),
  );
  if (!isAnywhere && home !== undefined && pod.namespace !== home) return false;
  const labels = labelsOf(pod);
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[plain(key)] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[plain(key)];
      if (operator === "Exists") return value !== undefined;
      if (operator === "DoesNotExist") return value === undefined;
      return (value !== undefined && values.includes(value)) === (operator === "In");
    })
  );
}

const plain = (key: string): string => key.replace(/^k8s:/, "");

function labelsOf({ namespace, name, labels }: Pod): Labels {
  const ofNamespace = Object.entries(NAMESPACES[namespace] ?? {});
  return {
    ...labels,
    ...Object.fromEntries(ofNamespace.map(([key, value]) => [`io.cilium.k8s.namespace.labels.${key}`, value])),
    "io.kubernetes.pod.namespace": namespace,
    "io.cilium.k8s.policy.serviceaccount": name,
  };
}
