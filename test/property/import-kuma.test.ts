import { describe, expect, it } from "vitest";
import { type Held, holdImport, type PeerRequest } from "../support/peers/hold-import.ts";
import {
  documentOf,
  FEDERATED,
  type KumaRequest,
  kumaVerdict,
  permissionsOf,
  STRANGERS,
  WORKLOADS,
} from "../support/peers/kuma.ts";
import { Random, runCount, runSeed } from "./random.ts";

// MeshTrafficPermissions against a restatement of Kuma's semantics.

function requestOf(random: Random): KumaRequest {
  const known = WORKLOADS.map(({ identity }) => identity);
  return {
    from: random.pick([...known, ...known, ...STRANGERS]),
    to: random.pick(WORKLOADS),
    port: random.pick([8080, 9090]),
  };
}

function isInScope(scope: string, { from }: KumaRequest): boolean {
  if (scope === "foreign") return !from.startsWith("spiffe://mesh.local/");
  return scope === "unregistered" && !WORKLOADS.some(({ identity }) => identity === from);
}

describe("imported MeshTrafficPermissions", () => {
  const seed = runSeed();

  it(`decide as Kuma does where the report says exact, and never allow more (CELLWALL_SEED=${seed})`, () => {
    const random = new Random(seed);
    const claims = new Map<Held["claim"], number>();
    for (let at = 0; at < runCount(150, 20_000); at++) {
      const permissions = permissionsOf(random);
      const requests = random.list(10, 10, () => requestOf(random));
      const held = holdImport(
        {
          format: "kuma",
          documents: permissions.map(documentOf),
          options: { trustDomain: "mesh.local", federation: [FEDERATED], workloads: WORKLOADS },
        },
        requests.map(
          (request): PeerRequest => ({
            request: {
              from: request.from,
              to: `${request.to.namespace}/${request.to.name}`,
              port: request.port,
              request: "GET /",
            },
            expected: kumaVerdict(permissions, request),
            isInScope: ({ scope = "" }) => isInScope(scope, request),
          }),
        ),
      );
      held.forEach((one, index) => {
        claims.set(one.claim, (claims.get(one.claim) ?? 0) + 1);
        if (one.broken === undefined) return;
        const [request, shown] = [requests[index], JSON.stringify(permissions.map(documentOf))];
        expect({ case: `${seed}/${at}`, request, permissions: shown, ...one }).toBe("an import that keeps its word");
      });
    }
    expect(claims.get("exact") ?? 0).toBeGreaterThan(500);
    process.stdout.write(`kuma, random: ${JSON.stringify(Object.fromEntries(claims))}\n`);
  });
});
