import { describe, expect, it } from "vitest";
import { holdMany, type PeerRequest } from "../support/peers/hold-import.ts";
import {
  documentOf,
  NAMESPACES,
  type NetworkPolicy,
  networkVerdict,
  PODS,
  type PodRequest,
  policiesOf,
} from "../support/peers/kubernetes.ts";
import { Random, runCount, runSeed } from "./random.ts";

// NetworkPolicies against a restatement of their semantics.

const nameOf = ({ namespace, name }: { readonly namespace: string; readonly name: string }): string =>
  `${namespace}/${name}`;

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

describe("imported NetworkPolicies", () => {
  const seed = runSeed();

  it(`decide as Kubernetes does where the report says exact, and never allow more (CELLWALL_SEED=${seed})`, () => {
    const random = new Random(seed);
    const options = { workloads: PODS, namespaces: NAMESPACES };
    const { claims, broken } = holdMany(runCount(150, 20_000), () => {
      const policies = policiesOf(random);
      return {
        set: { format: "kubernetes", documents: policies.map(documentOf), options },
        requests: random.list(10, 10, () => requestOf(random, policies)),
      };
    });
    expect(broken).toBeUndefined();
    expect(claims.exact).toBeGreaterThan(500);
    process.stdout.write(`kubernetes, random: ${JSON.stringify(claims)}\n`);
  });
});
