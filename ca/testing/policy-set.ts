import type { Listen, Node, PolicySet, Workload } from "../../policies/index.ts";
import { parseSpiffeId, parseTrustDomain } from "../../spiffe/index.ts";

const SPAN = { file: "test.yaml", line: 1, column: 1, endLine: 1, endColumn: 1 };
const TRUST_DOMAIN = "shop.example";

/** A node that joins by token. */
export function node(name: string, labels: Readonly<Record<string, string>> = {}): Node {
  return { name, labels: new Map(Object.entries(labels)), attest: [{ kind: "joinToken" }], span: SPAN };
}

/** A workload `spiffe://shop.example/shop/<name>`. */
export function workload(name: string, fields: Partial<Workload> = {}): Workload {
  return {
    namespace: "shop",
    name,
    labels: new Map(),
    identity: parseSpiffeId(`spiffe://${TRUST_DOMAIN}/shop/${name}`),
    mode: "enforce",
    attest: [],
    paths: { caseInsensitive: false, matrixParameters: "reject" },
    span: SPAN,
    ...fields,
  };
}

/** A listener of a sidecar. */
export function listen(port: number, fields: Partial<Listen> = {}): Listen {
  const rest = { upgrades: [], clients: "mesh", speaksFirst: "client", span: SPAN } as const;
  return { port, app: "unix:/run/app.sock", protocol: "http", ...rest, ...fields };
}

/** A set with these workloads and nodes and no policies. */
export function policySet(
  workloads: readonly Workload[],
  nodes: readonly Node[] = [],
  fields: Partial<PolicySet> = {},
): PolicySet {
  return {
    mesh: {
      trustDomain: parseTrustDomain(TRUST_DOMAIN),
      defaultMode: "enforce",
      isolate: [],
      unregistered: "deny",
      federated: [],
      jwtProviders: new Map(),
    },
    nodes,
    workloads,
    unnamedCallers: [],
    destinations: workloads.map((one) => one.identity.toString()),
    policies: [],
    diagnostics: [],
    ...fields,
  };
}
