import {
  type CalicoRequest,
  type CalicoSet,
  calicoSetOf,
  calicoVerdict,
  documentsOf,
} from "../support/peers/calico.ts";
import type { PeerRequest } from "../support/peers/hold-import.ts";
import { NAMESPACES, PODS } from "../support/peers/kubernetes.ts";
import { nameOf, testPeer } from "./peer-property.ts";
import type { Random } from "./random.ts";

// Calico's policies and tiers against a restatement of their semantics.

function requestOf(random: Random, set: CalicoSet): PeerRequest {
  const to = random.pick(PODS);
  const http = random.maybe(0.8, () => ({
    method: random.pick(["GET", "HEAD", "POST", "PUT"]),
    path: random.pick(["/", "/a", "/a/", "/a/b", "/ab", "/c"]),
  }));
  const request: CalicoRequest = {
    from: random.pick(PODS),
    to,
    port: random.pick(to.ports),
    address: random.pick(["10.0.0.9", "10.0.1.9", "192.0.2.7"]),
    ...(http && { http }),
  };
  const { from, port, address } = request;
  return {
    request: {
      from: nameOf(from),
      to: nameOf(to),
      port,
      address,
      request: http === undefined ? `tcp ${port}` : `${http.method} ${http.path}`,
    },
    expected: calicoVerdict(set, request),
    isInScope: ({ scope }) =>
      scope === "connection"
        ? http === undefined
        : scope === "egress" ||
          (scope === "head" && http?.method === "HEAD") ||
          (scope === "trailing-slash" && http?.path.endsWith("/") === true),
  };
}

testPeer({
  peer: "Calico",
  format: "calico",
  options: { workloads: PODS, namespaces: NAMESPACES },
  sets: 100,
  make: calicoSetOf,
  documentsOf,
  requestOf,
});
