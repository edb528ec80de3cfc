import { describe, expect, it } from "vitest";
import {
  type CalicoRequest,
  type CalicoSet,
  calicoSetOf,
  calicoVerdict,
  documentsOf,
} from "../support/peers/calico.ts";
import { holdMany, type PeerRequest } from "../support/peers/hold-import.ts";
import { NAMESPACES, PODS } from "../support/peers/kubernetes.ts";
import { Random, runCount, runSeed } from "./random.ts";

// Calico's policies and tiers against a restatement of their semantics.

const nameOf = ({ namespace, name }: { readonly namespace: string; readonly name: string }): string =>
  `${namespace}/${name}`;

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

describe("imported policies of Calico", () => {
  const seed = runSeed();

  it(`decide as Calico does where the report says exact, and never allow more (CELLWALL_SEED=${seed})`, () => {
    const random = new Random(seed);
    const options = { workloads: PODS, namespaces: NAMESPACES };
    const { claims, broken } = holdMany(runCount(150, 20_000), () => {
      const set = calicoSetOf(random);
      return {
        set: { format: "calico", documents: documentsOf(set), options },
        requests: random.list(10, 10, () => requestOf(random, set)),
      };
    });
    expect(broken).toBeUndefined();
    expect(claims.exact).toBeGreaterThan(500);
    process.stdout.write(`calico, random: ${JSON.stringify(claims)}\n`);
  });
});
