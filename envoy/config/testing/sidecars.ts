import type { Call, Listen, PolicySet, Sidecar, Span, Workload } from "../../../policies/index.ts";
import { parseSpiffeId, parseTrustDomain } from "../../../spiffe/index.ts";

const span: Span = { file: "mesh.yaml", line: 3, column: 5, endLine: 3, endColumn: 9 };

/** A mesh listener for HTTP, changed as told. */
export function listen(change: Partial<Listen> = {}): Listen {
  return {
    port: 8443,
    app: "unix:/run/app/web.sock",
    protocol: "http",
    upgrades: [],
    speaksFirst: "client",
    clients: "mesh",
    span,
    ...change,
  };
}

/** A call of `shop/<workload>`. */
export function call(workload: string, port: number, local: string): Call {
  return { workload: { namespace: "shop", name: workload }, port, local, span };
}

/** A sidecar at 127.0.0.1, changed as told. */
export function sidecar(change: Partial<Sidecar> = {}): Sidecar {
  return { address: "127.0.0.1", listens: [], calls: [], keepOverrideHeaders: [], checkHeaders: [], ...change };
}

/** The workload `shop/<name>`, with a sidecar or without. */
export function workload(name: string, part?: Sidecar): Workload {
  return {
    namespace: "shop",
    name,
    labels: new Map(),
    identity: parseSpiffeId(`spiffe://shop.example/shop/${name}`),
    mode: "enforce",
    attest: [],
    paths: { caseInsensitive: false, matrixParameters: "reject" },
    span,
    ...(part === undefined ? {} : { sidecar: part }),
  };
}

/** A set without policies, of the mesh `shop.example`. */
export function meshOf(workloads: readonly Workload[], change: Partial<PolicySet["mesh"]> = {}): PolicySet {
  return {
    mesh: {
      trustDomain: parseTrustDomain("shop.example"),
      defaultMode: "enforce",
      isolate: [],
      unregistered: "deny",
      federated: [],
      jwtProviders: new Map(),
      ...change,
    },
    nodes: [],
    workloads,
    unnamedCallers: [],
    destinations: workloads.map(({ identity }) => identity.toString()),
    policies: [],
    diagnostics: [],
  };
}
