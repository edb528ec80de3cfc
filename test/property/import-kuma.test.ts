import type { PeerRequest } from "../support/peers/hold-import.ts";
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
import { nameOf, testPeer } from "./peer-property.ts";
import type { Random } from "./random.ts";

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
    request: { from, to: nameOf(to), port, request: "GET /" },
    expected: kumaVerdict(permissions, request),
    isInScope: ({ scope }) =>
      scope === "foreign"
        ? !from.startsWith("spiffe://mesh.local/")
        : scope === "unregistered" && !known.includes(from),
  };
}

testPeer({
  peer: "Kuma",
  format: "kuma",
  options: { trustDomain: "mesh.local", federation: [FEDERATED], workloads: WORKLOADS },
  sets: 100,
  make: permissionsOf,
  documentsOf: (permissions) => permissions.map(documentOf),
  requestOf,
});
