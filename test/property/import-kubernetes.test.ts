import type { PeerRequest } from "../support/peers/hold-import.ts";
import {
  documentOf,
  NAMESPACES,
  type NetworkPolicy,
  networkVerdict,
  PODS,
  type PodRequest,
  policiesOf,
} from "../support/peers/kubernetes.ts";
import { nameOf, testPeer } from "./peer-property.ts";
import type { Random } from "./random.ts";

// NetworkPolicies against a restatement of their semantics.

function requestOf(random: Random, policies: readonly NetworkPolicy[]): PeerRequest {
  const to = random.pick(PODS);
  const request: PodRequest = {
    from: random.pick([...PODS, undefined]),
    to,
    port: random.pick(to.ports),
    address: random.pick(["10.0.0.9", "10.0.1.9", "192.0.2.7"]),
  };
  const { from, port, address } = request;
  const [sender, callee] = [from === undefined ? "anonymous" : nameOf(from), nameOf(to)];
  return {
    request: { from: sender, to: callee, port, address, request: random.pick(["GET /", "POST /a/b", `tcp ${port}`]) },
    expected: networkVerdict(policies, request),
    isInScope: ({ scope, subject }) => scope === "egress" && subject === sender,
  };
}

testPeer({
  peer: "Kubernetes",
  format: "kubernetes",
  options: { workloads: PODS, namespaces: NAMESPACES },
  sets: 100,
  make: policiesOf,
  documentsOf: (policies) => policies.map(documentOf),
  requestOf,
});
