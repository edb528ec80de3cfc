import type { Random } from "../../property/random.ts";
import type { Verdict } from "./hold-import.ts";
import { NAMESPACES, type Pod, within } from "./kubernetes.ts";

// Calico's tiers, restated: in each tier that selects an end, the first rule that matches says allow, deny or pass.

type Labels = Readonly<Record<string, string>>;

/** A selector by its meaning; written as text for the importer. */
type Test =
  | { readonly is: "all" | "global" }
  | { readonly is: "has" | "lacks"; readonly key: string }
  | { readonly is: "equals" | "differs" | "begins" | "contains"; readonly key: string; readonly value: string }
  | { readonly is: "in" | "not in"; readonly key: string; readonly values: readonly string[] }
  | { readonly is: "and" | "or"; readonly parts: readonly [Test, Test] }
  | { readonly is: "not"; readonly part: Test };

interface Side {
  readonly selector?: Test;
  readonly notSelector?: Test;
  readonly namespaceSelector?: Test;
  readonly accounts?: readonly string[];
  readonly nets?: readonly string[];
  readonly notNets?: readonly string[];
  readonly ports?: readonly (number | string)[];
  readonly notPorts?: readonly (number | string)[];
}

interface Rule {
  readonly action: "Allow" | "Deny" | "Log" | "Pass";
  readonly protocol?: string;
  readonly notProtocol?: string;
  readonly ipVersion?: 4 | 6;
  readonly source?: Side;
  readonly destination?: Side;
  readonly methods?: readonly string[];
  readonly paths?: readonly ({ readonly exact: string } | { readonly prefix: string })[];
}

export interface CalicoPolicy {
  readonly name: string;
  readonly namespace?: string;
  readonly tier: string;
  readonly order: number;
  readonly isStaged: boolean;
  readonly selector?: Test;
  readonly namespaceSelector?: Test;
  readonly types?: readonly string[];
  readonly ingress?: readonly Rule[];
  readonly egress?: readonly Rule[];
}

export interface CalicoTier {
  readonly name: string;
  readonly order: number;
  readonly defaultAction?: "Pass" | "Deny";
}

export interface CalicoSet {
  readonly tiers: readonly CalicoTier[];
  readonly policies: readonly CalicoPolicy[];
}

export interface CalicoRequest {
  readonly from: Pod;
  readonly to: Pod;
  readonly port: number;
  readonly address: string;
  /** Absent: a connection. */
  readonly http?: { readonly method: string; readonly path: string };
}

const KEYS: Readonly<Record<string, readonly string[]>> = {
  app: ["web", "api", "db", "none"],
  tier: ["front", "back"],
  "projectcalico.org/namespace": ["x", "y"],
  "projectcalico.org/serviceaccount": ["web", "api"],
  "pcns.env": ["prod", "dev"],
};
const NAMESPACE_KEYS: Readonly<Record<string, readonly string[]>> = {
  env: ["prod", "dev"],
  team: ["data"],
  "projectcalico.org/name": ["x", "y"],
};

function testOf(random: Random, keys: Readonly<Record<string, readonly string[]>>, depth = 0): Test {
  const key = random.pick(Object.keys(keys));
  const values = keys[key] ?? [];
  const again = (): Test => testOf(random, keys, depth + 1);
  if (depth < 2 && random.chance(0.25))
    return random.chance(0.3)
      ? { is: "not", part: again() }
      : { is: random.pick(["and", "or"]), parts: [again(), again()] };
  return random.pick<Test>([
    { is: "all" },
    { is: random.pick(["global", "all", "all"]) },
    { is: random.pick(["has", "lacks"]), key },
    { is: "equals", key, value: random.pick(values) },
    { is: "equals", key, value: random.pick(values) },
    { is: "differs", key, value: random.pick(values) },
    { is: random.pick(["begins", "contains"]), key, value: random.pick(values).slice(0, 2) },
    { is: random.pick(["in", "not in"]), key, values: random.list(1, 2, () => random.pick(values)) },
  ]);
}

function textOf(test: Test): string {
  switch (test.is) {
    case "all":
    case "global":
      return `${test.is}()`;
    case "has":
      return `has(${test.key})`;
    case "lacks":
      return `!has(${test.key})`;
    case "equals":
      return `${test.key} == "${test.value}"`;
    case "differs":
      return `${test.key} != '${test.value}'`;
    case "begins":
      return `${test.key} starts with "${test.value}"`;
    case "contains":
      return `${test.key} contains "${test.value}"`;
    case "in":
    case "not in":
      return `${test.key} ${test.is} { ${test.values.map((one) => `"${one}"`).join(", ")} }`;
    case "and":
    case "or":
      return `(${test.parts.map(textOf).join(test.is === "and" ? " && " : " || ")})`;
    case "not":
      return `!(${textOf(test.part)})`;
  }
}

/** `isOfNamespaces`: `global()` is what has no namespace. */
function holds(test: Test, labels: Labels, isOfNamespaces = false): boolean {
  switch (test.is) {
    case "all":
      return true;
    case "global":
      return !isOfNamespaces;
    case "has":
      return labels[test.key] !== undefined;
    case "lacks":
      return labels[test.key] === undefined;
    case "equals":
      return labels[test.key] === test.value;
    case "differs":
      return labels[test.key] !== test.value;
    case "begins":
      return labels[test.key]?.startsWith(test.value) === true;
    case "contains":
      return labels[test.key]?.includes(test.value) === true;
    case "in":
    case "not in":
      return test.values.includes(labels[test.key] ?? "(none)") === (test.is === "in");
    case "and":
      return test.parts.every((part) => holds(part, labels, isOfNamespaces));
    case "or":
      return test.parts.some((part) => holds(part, labels, isOfNamespaces));
    case "not":
      return !holds(test.part, labels, isOfNamespaces);
  }
}

const NETS = ["10.0.0.0/16", "10.0.1.0/24", "0.0.0.0/0", "192.0.2.7"];
const PORTS: readonly (number | string)[] = [8080, 9090, "8000:8100", "admin", "web"];

function sideOf(random: Random, isCaller: boolean): Side {
  const list = <T>(chance: number, values: readonly T[]): readonly T[] | undefined =>
    random.maybe(chance, () => random.list(1, 2, () => random.pick(values)));
  const [selector, notSelector] = [0.4, 0.1].map((chance) => random.maybe(chance, () => testOf(random, KEYS)));
  const namespaceSelector = random.maybe(0.2, () => testOf(random, NAMESPACE_KEYS));
  const accounts = list(0.1, ["web", "api", "db"]);
  const [nets, notNets] = isCaller ? [list(0.15, NETS), list(0.06, NETS)] : [list(0.02, NETS), undefined];
  const [ports, notPorts] = isCaller ? [undefined, undefined] : [list(0.5, PORTS), list(0.1, PORTS)];
  return {
    ...(selector && { selector }),
    ...(notSelector && { notSelector }),
    ...(namespaceSelector && { namespaceSelector }),
    ...(accounts && { accounts }),
    ...(nets && { nets }),
    ...(notNets && { notNets }),
    ...(ports && { ports }),
    ...(notPorts && { notPorts }),
  };
}

function ruleOf(random: Random, direction: "ingress" | "egress"): Rule {
  const action = random.pick(["Allow", "Allow", "Allow", "Deny", "Log", "Pass"] as const);
  const protocol = random.maybe(0.3, () => random.pick(["TCP", "TCP", "UDP"]));
  const notProtocol = random.maybe(0.05, () => random.pick(["UDP", "TCP"]));
  const ipVersion = random.maybe(0.03, () => random.pick([4, 6] as const));
  const source = random.maybe(direction === "ingress" ? 0.7 : 0.1, () => sideOf(random, direction === "ingress"));
  const destination = random.maybe(0.4, () => sideOf(random, false));
  const isHttp = direction === "ingress" && action === "Allow" && random.chance(0.3);
  const methods = isHttp
    ? random.maybe(0.7, () => random.list(1, 2, () => random.pick(["GET", "POST", "PUT", "*"])))
    : undefined;
  const paths = isHttp
    ? random.maybe(0.7, () =>
        random.list(1, 2, () => {
          const path = random.pick(["/", "/a", "/a/b", "/ab"]);
          return random.chance(0.5) ? { exact: path } : { prefix: path };
        }),
      )
    : undefined;
  return {
    action,
    ...(protocol && { protocol }),
    ...(notProtocol && { notProtocol }),
    ...(ipVersion && { ipVersion }),
    ...(source && { source }),
    ...(destination && { destination }),
    ...(methods && { methods }),
    ...(paths && { paths }),
  };
}

/** Tiers and a few policies in them. */
export function calicoSetOf(random: Random): CalicoSet {
  const tiers = random
    .list(0, 2, () => random.int(9))
    .map((_, index): CalicoTier => {
      const defaultAction = random.maybe(0.6, () => random.pick(["Pass", "Deny"] as const));
      return { name: `t${index}`, order: random.int(100) * 2 + index, ...(defaultAction && { defaultAction }) };
    });
  const policies = random
    .list(1, 4, () => random.int(9))
    .map((_, index): CalicoPolicy => {
      const namespace = random.maybe(0.5, () => random.pick(["x", "y"]));
      const [ingress, egress] = (["ingress", "egress"] as const).map((direction) =>
        random.maybe(direction === "ingress" ? 0.85 : 0.2, () => random.list(0, 3, () => ruleOf(random, direction))),
      );
      const selector = random.maybe(0.6, () => testOf(random, KEYS));
      const namespaceSelector =
        namespace === undefined ? random.maybe(0.3, () => testOf(random, NAMESPACE_KEYS)) : undefined;
      const types = random.maybe(0.4, () => random.pick([["Ingress"], ["Egress"], ["Ingress", "Egress"]]));
      return {
        name: `p${index}`,
        tier: random.pick(["default", ...tiers.map(({ name }) => name)]),
        order: random.int(100) * 4 + index,
        isStaged: random.chance(0.05),
        ...(namespace && { namespace }),
        ...(selector && { selector }),
        ...(namespaceSelector && { namespaceSelector }),
        ...(types && { types }),
        ...(ingress && { ingress }),
        ...(egress && { egress }),
      };
    });
  return { tiers, policies };
}

export function documentsOf({ tiers, policies }: CalicoSet): readonly unknown[] {
  const apiVersion = "projectcalico.org/v3";
  return [
    ...tiers.map(({ name, ...spec }) => ({ apiVersion, kind: "Tier", metadata: { name }, spec })),
    ...policies.map(({ name, namespace, isStaged, selector, namespaceSelector, ingress, egress, ...spec }) => ({
      apiVersion,
      kind: `${isStaged ? "Staged" : ""}${namespace === undefined ? "Global" : ""}NetworkPolicy`,
      metadata: { name, ...(namespace && { namespace }) },
      spec: {
        ...spec,
        ...(selector && { selector: textOf(selector) }),
        ...(namespaceSelector && { namespaceSelector: textOf(namespaceSelector) }),
        ...(ingress && { ingress: ingress.map(writtenRule) }),
        ...(egress && { egress: egress.map(writtenRule) }),
      },
    })),
  ];
}

function writtenRule({ source, destination, methods, paths, ...rule }: Rule): unknown {
  const http = { ...(methods && { methods }), ...(paths && { paths }) };
  return {
    ...rule,
    ...(source && { source: writtenSide(source) }),
    ...(destination && { destination: writtenSide(destination) }),
    ...(Object.keys(http).length > 0 && { http }),
  };
}

function writtenSide({ selector, notSelector, namespaceSelector, accounts, ...side }: Side): unknown {
  return {
    ...side,
    ...(selector && { selector: textOf(selector) }),
    ...(notSelector && { notSelector: textOf(notSelector) }),
    ...(namespaceSelector && { namespaceSelector: textOf(namespaceSelector) }),
    ...(accounts && { serviceAccounts: { names: accounts } }),
  };
}

/** Both ends have their say; what no policy selects is open. */
export function calicoVerdict(set: CalicoSet, request: CalicoRequest): Verdict {
  return passes(set, "ingress", request.to, request) && passes(set, "egress", request.from, request) ? "allow" : "deny";
}

function passes(set: CalicoSet, direction: "ingress" | "egress", subject: Pod, request: CalicoRequest): boolean {
  const tiers = [...set.tiers, { name: "default", order: 1_000_000, defaultAction: "Deny" as const }];
  for (const tier of tiers.sort((a, b) => a.order - b.order)) {
    const own = set.policies
      .filter((one) => !one.isStaged && one.tier === tier.name && isOf(one, direction) && selects(one, subject))
      .sort((a, b) => a.order - b.order);
    if (own.length === 0) continue;
    const first = own
      .flatMap((policy) => (policy[direction] ?? []).map((rule) => ({ policy, rule })))
      .find(({ policy, rule }) => rule.action !== "Log" && matches(rule, policy.namespace, request));
    const action = first?.rule.action ?? tier.defaultAction ?? "Deny";
    if (action !== "Pass") return action === "Allow";
  }
  return true;
}

function isOf({ types, ingress = [], egress = [] }: CalicoPolicy, direction: "ingress" | "egress"): boolean {
  if (types !== undefined) return types.some((type) => type.toLowerCase() === direction);
  return direction === "egress" ? egress.length > 0 : egress.length === 0 || ingress.length > 0;
}

function selects({ namespace, selector, namespaceSelector }: CalicoPolicy, pod: Pod): boolean {
  if (namespace !== undefined && pod.namespace !== namespace) return false;
  if (namespaceSelector !== undefined && !holds(namespaceSelector, namespaceLabels(pod), true)) return false;
  return selector === undefined || holds(selector, labelsOf(pod));
}

const namespaceLabels = ({ namespace }: Pod): Labels => ({
  ...NAMESPACES[namespace],
  "projectcalico.org/name": namespace,
});

function labelsOf(pod: Pod): Labels {
  const ofNamespace = Object.entries(namespaceLabels(pod)).map(([key, value]) => [`pcns.${key}`, value]);
  return {
    ...pod.labels,
    ...Object.fromEntries(ofNamespace),
    "projectcalico.org/namespace": pod.namespace,
    "projectcalico.org/serviceaccount": pod.name,
  };
}

function matches(rule: Rule, own: string | undefined, { from, to, port, address, http }: CalicoRequest): boolean {
  const { protocol = "TCP", notProtocol, ipVersion, source = {}, destination = {}, methods, paths } = rule;
  if (protocol !== "TCP" || notProtocol === "TCP" || ipVersion === 6) return false;
  if (!isSide(source, from, own, { address, port: undefined })) return false;
  // A callee's address is of no network that a rule here names but the whole.
  if (!isSide(destination, to, own, { address: "203.0.113.1", port })) return false;
  if (http === undefined) return true;
  const isMethod = methods === undefined || methods.includes("*") || methods.includes(http.method);
  return isMethod && (paths === undefined || paths.some((path) => isPath(path, http.path)));
}

function isSide(
  side: Side,
  pod: Pod,
  own: string | undefined,
  { address, port }: { readonly address: string; readonly port: number | undefined },
): boolean {
  const { selector, notSelector, namespaceSelector, accounts, nets, notNets = [], ports, notPorts = [] } = side;
  const isNamed = [selector, notSelector, accounts].some((one) => one !== undefined);
  if (namespaceSelector !== undefined && !holds(namespaceSelector, namespaceLabels(pod), true)) return false;
  if (namespaceSelector === undefined && isNamed && own !== undefined && pod.namespace !== own) return false;
  if (selector !== undefined && !holds(selector, labelsOf(pod))) return false;
  if (notSelector !== undefined && holds(notSelector, labelsOf(pod))) return false;
  if (accounts !== undefined && !accounts.includes(pod.name)) return false;
  if (nets !== undefined && !nets.some((net) => within(address, net))) return false;
  if (notNets.some((net) => within(address, net))) return false;
  const isPort = (one: number | string): boolean => {
    const [first = "", last = first] = String(one).split(":");
    const number = pod.namedPorts[first] ?? Number(first);
    return port !== undefined && port >= number && port <= (pod.namedPorts[last] ?? Number(last));
  };
  return (ports === undefined || ports.some(isPort)) && !notPorts.some(isPort);
}

function isPath(path: { readonly exact: string } | { readonly prefix: string }, asked: string): boolean {
  if ("exact" in path) return asked === path.exact;
  return path.prefix === "/" || asked === path.prefix || asked.startsWith(`${path.prefix}/`);
}
