import type { Random } from "../../property/random.ts";
import type { Verdict } from "./hold-import.ts";

// NetworkPolicies, restated: a pod that no policy selects is open, one that some select is open to what any of them allows.

type Labels = Readonly<Record<string, string>>;

interface Expression {
  readonly key: string;
  readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
  readonly values?: readonly string[];
}

interface Selector {
  readonly matchLabels?: Labels;
  readonly matchExpressions?: readonly Expression[];
}

type Peer =
  | { readonly ipBlock: { readonly cidr: string; readonly except?: readonly string[] } }
  | { readonly podSelector?: Selector; readonly namespaceSelector?: Selector };

interface Port {
  readonly protocol?: string;
  readonly port?: number | string;
  readonly endPort?: number;
}

interface Rule {
  readonly peers?: readonly Peer[];
  readonly ports?: readonly Port[];
}

export interface NetworkPolicy {
  readonly namespace: string;
  readonly name: string;
  readonly podSelector: Selector;
  readonly policyTypes?: readonly ("Ingress" | "Egress")[];
  readonly ingress?: readonly Rule[];
  readonly egress?: readonly Rule[];
}

export interface Pod {
  readonly namespace: string;
  readonly name: string;
  readonly labels: Labels;
  readonly ports: readonly number[];
  readonly namedPorts: Readonly<Record<string, number>>;
}

const pod = (namespace: string, name: string, labels: Labels, web = 8080): Pod => ({
  namespace,
  name,
  labels,
  ports: [web, 9090],
  namedPorts: { web, admin: 9090 },
});

export const PODS: readonly Pod[] = [
  pod("x", "web", { app: "web", tier: "front" }),
  pod("x", "api", { app: "api", tier: "back" }),
  pod("x", "bare", {}, 8081),
  pod("y", "web", { app: "web" }),
  pod("y", "db", { app: "db", tier: "back" }),
];

export const NAMESPACES: Readonly<Record<string, Labels>> = {
  x: { env: "prod", "kubernetes.io/metadata.name": "x" },
  y: { env: "dev", team: "data", "kubernetes.io/metadata.name": "y" },
};

export interface PodRequest {
  /** Absent: somebody from outside. */
  readonly from: Pod | undefined;
  readonly to: Pod;
  readonly port: number;
  readonly address: string;
}

function expressionOf(random: Random, keys: Readonly<Record<string, readonly string[]>>): Expression {
  const key = random.pick(Object.keys(keys));
  const operator = random.pick(["In", "NotIn", "Exists", "DoesNotExist"] as const);
  const values = random.list(1, 2, () => random.pick(keys[key] ?? []));
  return operator === "In" || operator === "NotIn" ? { key, operator, values } : { key, operator };
}

function selectorOf(random: Random, keys: Readonly<Record<string, readonly string[]>>): Selector {
  const key = random.pick(Object.keys(keys));
  const matchLabels = random.maybe(0.5, () => ({ [key]: random.pick(keys[key] ?? []) }));
  const matchExpressions = random.maybe(0.35, () => random.list(1, 2, () => expressionOf(random, keys)));
  return { ...(matchLabels && { matchLabels }), ...(matchExpressions && { matchExpressions }) };
}

const POD_KEYS = { app: ["web", "api", "db", "none"], tier: ["front", "back"] };
const NAMESPACE_KEYS = { env: ["prod", "dev"], team: ["data"], "kubernetes.io/metadata.name": ["x", "y", "z"] };

function peerOf(random: Random): Peer {
  if (random.chance(0.15)) {
    const except = random.maybe(0.5, () => ["10.0.1.0/24"]);
    return { ipBlock: { cidr: random.pick(["10.0.0.0/16", "0.0.0.0/0", "192.0.2.7/32"]), ...(except && { except }) } };
  }
  const podSelector = random.maybe(0.6, () => selectorOf(random, POD_KEYS));
  const namespaceSelector = random.maybe(podSelector ? 0.4 : 1, () => selectorOf(random, NAMESPACE_KEYS));
  return { ...(podSelector && { podSelector }), ...(namespaceSelector && { namespaceSelector }) };
}

function portOf(random: Random): Port {
  const protocol = random.maybe(0.3, () => random.pick(["TCP", "TCP", "UDP"]));
  const port = random.pick<Omit<Port, "protocol">>([
    { port: 8080 },
    { port: 9090 },
    { port: 8080 },
    { port: "admin" },
    { port: "web" },
    { port: 8000, endPort: 8100 },
    { port: 1, endPort: 65_535 },
    {},
  ]);
  return { ...port, ...(protocol && { protocol }) };
}

function ruleOf(random: Random): Rule {
  const peers = random.maybe(0.8, () => random.list(0, 2, () => peerOf(random)));
  const ports = random.maybe(0.4, () => random.list(1, 2, () => portOf(random)));
  return { ...(peers && { peers }), ...(ports && { ports }) };
}

/** A few policies of two namespaces, for one direction or both. */
export function policiesOf(random: Random): readonly NetworkPolicy[] {
  return random
    .list(0, 3, () => random.pick(["x", "y"]))
    .map((namespace, index) => {
      const policyTypes = random.maybe(0.6, () =>
        random.pick([["Ingress"], ["Ingress"], ["Egress"], ["Ingress", "Egress"]] as const),
      );
      const ingress = random.maybe(0.8, () => random.list(0, 2, () => ruleOf(random)));
      const egress = random.maybe(0.25, () => random.list(0, 2, () => ruleOf(random)));
      return {
        namespace,
        name: `p${index}`,
        podSelector: random.chance(0.4) ? {} : selectorOf(random, POD_KEYS),
        ...(policyTypes && { policyTypes }),
        ...(ingress && { ingress }),
        ...(egress && { egress }),
      };
    });
}

export function documentOf({ namespace, name, podSelector, policyTypes, ingress, egress }: NetworkPolicy): unknown {
  const written = (side: "from" | "to", { peers, ports }: Rule): unknown => ({
    ...(peers && { [side]: peers }),
    ...(ports && { ports }),
  });
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "NetworkPolicy",
    metadata: { name, namespace },
    spec: {
      podSelector,
      ...(policyTypes && { policyTypes }),
      ...(ingress && { ingress: ingress.map((rule) => written("from", rule)) }),
      ...(egress && { egress: egress.map((rule) => written("to", rule)) }),
    },
  };
}

export function networkVerdict(policies: readonly NetworkPolicy[], request: PodRequest): Verdict {
  const { from, to, port, address } = request;
  const entered = reaches(policies, "Ingress", to, { other: from, address, port, callee: to });
  // A pod's own address is not known to a policy of its callers here, so that blocks open no way out.
  const left =
    from === undefined || reaches(policies, "Egress", from, { other: to, address: undefined, port, callee: to });
  return entered && left ? "allow" : "deny";
}

interface Way {
  readonly other: Pod | undefined;
  readonly address: string | undefined;
  readonly port: number;
  readonly callee: Pod;
}

const isOf = ({ policyTypes, egress }: NetworkPolicy, type: "Ingress" | "Egress"): boolean =>
  policyTypes?.includes(type) ?? (type === "Ingress" || egress !== undefined);

const selecting = (policies: readonly NetworkPolicy[], type: "Ingress" | "Egress", subject: Pod) =>
  policies.filter(
    (one) => isOf(one, type) && one.namespace === subject.namespace && selected(one.podSelector, subject.labels),
  );

function reaches(policies: readonly NetworkPolicy[], type: "Ingress" | "Egress", subject: Pod, way: Way): boolean {
  const own = selecting(policies, type, subject);
  if (own.length === 0) return true;
  return own.some(({ namespace, ingress = [], egress = [] }) =>
    (type === "Ingress" ? ingress : egress).some((rule) => opens(rule, namespace, way)),
  );
}

function opens({ peers = [], ports = [] }: Rule, namespace: string, way: Way): boolean {
  return (
    (peers.length === 0 || peers.some((peer) => isPeer(peer, namespace, way))) &&
    (ports.length === 0 || ports.some((port) => isPort(port, way)))
  );
}

function isPeer(peer: Peer, own: string, { other, address }: Way): boolean {
  if ("ipBlock" in peer) {
    const { cidr, except = [] } = peer.ipBlock;
    return address !== undefined && within(address, cidr) && !except.some((one) => within(address, one));
  }
  if (other === undefined) return false;
  const { podSelector, namespaceSelector } = peer;
  const there =
    namespaceSelector === undefined
      ? other.namespace === own
      : selected(namespaceSelector, NAMESPACES[other.namespace] ?? {});
  return there && selected(podSelector ?? {}, other.labels);
}

function isPort({ protocol = "TCP", port, endPort }: Port, { port: asked, callee }: Way): boolean {
  if (protocol !== "TCP") return false;
  if (port === undefined) return true;
  const first = typeof port === "string" ? callee.namedPorts[port] : port;
  return first !== undefined && asked >= first && asked <= (endPort ?? first);
}

function selected({ matchLabels = {}, matchExpressions = [] }: Selector, labels: Labels): boolean {
  return (
    Object.entries(matchLabels).every(([key, value]) => labels[key] === value) &&
    matchExpressions.every(({ key, operator, values = [] }) => {
      const value = labels[key];
      if (operator === "Exists") return value !== undefined;
      if (operator === "DoesNotExist") return value === undefined;
      const listed = value !== undefined && values.includes(value);
      return operator === "In" ? listed : !listed;
    })
  );
}

/** Of IPv4 alone, by its number. */
export function within(address: string, cidr: string): boolean {
  const [base = "", length = "32"] = cidr.split("/");
  const size = 2 ** (32 - Number(length));
  return Math.floor(numberOf(address) / size) === Math.floor(numberOf(base) / size);
}

const numberOf = (address: string): number => address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
