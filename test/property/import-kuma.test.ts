import { describe, expect, it } from "vitest";
import { holdMany, type PeerRequest } from "../support/peers/hold-import.ts";
import {
  documentOf,
  FEDERATED,
  type KumaRequest,
  kumaVerdict,
  type Permission,
  permissionsOf,
  STRANGERS,
  WORKLOADS,
} from "../support/peers/kuma.ts";
import { Random, runCount, runSeed } from "./random.ts";

// MeshTrafficPermissions against a restatement of Kuma's semantics.

function requestOf(random: Random, permissions: readonly Permission[]): PeerRequest {
  const known = WORKLOADS.map(({ identity }) => identity);
  const request: KumaRequest = {
    from: random.pick([...known, ...known, ...STRANGERS]),
    to: random.pick(WORKLOADS),
    port: random.pick([8080, 9090]),
  };
  const { from, to, port } = request;
  return {
    request: { from, to: `${to.namespace}/${to.name}`, port, request: "GET /" },
    expected: kumaVerdict(permissions, request),
    isInScope: ({ scope }) =>
      scope === "foreign"
        ? !from.startsWith("spiffe://mesh.local/")
        : scope === "unregistered" && !known.includes(from),
  };
}

describe("imported MeshTrafficPermissions", () => {
  const seed = runSeed();

  it(`decide as Kuma does where the report says exact, and never allow more (CELLWALL_SEED=${seed})`, () => {
    const random = new Random(seed);
    const options = { trustDomain: "mesh.local", federation: [FEDERATED], workloads: WORKLOADS };
    const { claims, broken } = holdMany(runCount(150, 20_000), () => {
      const permissions = permissionsOf(random);
      return {
        set: { format: "kuma", documents: permissions.map(documentOf), options },
        requests: random.list(10, 10, () => requestOf(random, permissions)),
      };
    });
    expect(broken).toBeUndefined();
    expect(claims.exact).toBeGreaterThan(500);
    process.stdout.write(`kuma, random: ${JSON.stringify(claims)}\n`);
  });
});
