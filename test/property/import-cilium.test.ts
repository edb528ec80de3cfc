import {
  type CiliumPolicy,
  type CiliumRequest,
  ciliumPoliciesOf,
  ciliumVerdict,
  documentOf,
  ENDPOINTS,
} from "../support/peers/cilium.ts";
import type { PeerRequest } from "../support/peers/hold-import.ts";
import { NAMESPACES } from "../support/peers/kubernetes.ts";
import { nameOf, testPeer } from "./peer-property.ts";
import type { Random } from "./random.ts";

// Cilium's network policies against a restatement of their semantics.

function askedOf(random: Random): CiliumRequest {
  const to = random.pick(ENDPOINTS);
  const headers = ["x-team", "x-mode"].flatMap((name) =>
    random.chance(0.4) ? [[name, random.pick(["a", "1"])] as const] : [],
  );
  const http = random.maybe(0.85, () => ({
    method: random.pick(["GET", "HEAD", "POST", "PUT"]),
    target: random.pick(["/", "/a", "/a/", "/a/b", "/a/b/", "/a/7", "/b", "/a?q=1", "/a/b?q=1"]),
    host: random.pick(["api.example", "web.example", "api.example:8080"]),
    headers: Object.fromEntries(headers),
  }));
  return {
    from: random.pick([...ENDPOINTS, undefined]),
    to,
    port: random.pick(to.ports),
    address: random.pick(["10.0.0.9", "192.0.2.7"]),
    ...(http && { http }),
  };
}

function requestOf(random: Random, policies: readonly CiliumPolicy[]): PeerRequest {
  const asked = askedOf(random);
  const { from, to, port, address, http } = asked;
  return {
    request: {
      from: from === undefined ? "anonymous" : nameOf(from),
      to: nameOf(to),
      port,
      address,
      ...(http === undefined
        ? { request: `tcp ${port}` }
        : { request: `${http.method} ${http.target}`, host: http.host, headers: http.headers }),
    },
    expected: ciliumVerdict(policies, asked),
    isInScope: ({ scope }) =>
      (scope === "query" && http?.target.includes("?") === true) ||
      (scope === "host-with-port" && http?.host.includes(":") === true) ||
      (scope === "egress" && from !== undefined),
  };
}

testPeer({
  peer: "Cilium",
  format: "cilium",
  options: { workloads: ENDPOINTS, namespaces: NAMESPACES },
  sets: 60,
  make: ciliumPoliciesOf,
  documentsOf: (policies) => policies.map(documentOf),
  requestOf,
});
