import type { PolicySet } from "../../model/index.ts";
import { resolve } from "../../resolve/resolve.ts";
import { type PolicyFile, parseDocuments } from "../../syntax/parse-documents.ts";

export const NOW = new Date("2026-06-01T12:00:00Z");

/** A mesh of `web`, `orders` and the edge, with one policy. */
export const SHOP_TEXT = `apiVersion: cellwall.dev/v1
kind: Mesh
metadata: { name: shop }
spec:
  trustDomain: shop.example
  defaultMode: enforce
  federation: [{ trustDomain: partner.example }]
  jwtProviders: { corp: { issuer: "https://idp", audiences: [shop], jwks: { url: "https://idp/keys" } } }
---
apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: web, namespace: shop }
spec: { mode: enforce }
---
apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: orders, namespace: shop }
spec:
  sidecar:
    address: orders.shop
    listens:
      - { port: 8443, app: "unix:/run/a.sock", protocol: http, upgrades: [websocket] }
      - { port: 443, app: "unix:/run/b.sock", protocol: http, clients: public }
      - { port: 5432, app: "unix:/run/c.sock", protocol: tcp }
---
apiVersion: cellwall.dev/v1
kind: AccessPolicy
metadata: { name: orders, namespace: shop }
spec:
  protects: { workload: orders }
  allow:
    - name: reads
      from:
        - workload: web
        - spiffe: spiffe://partner.example/billing
        - anyone: anonymous
      requests:
        - GET /orders/{id}
        - grpc shop.Orders/Get
        - websocket /live
      headers:
        x-tenant: { in: [acme, globex] }
    - name: admins
      from:
        - workload: web
      requests:
        - DELETE /orders/{id}
      query: { why: "a b" }
      jwt: { provider: corp, claims: { role: admin } }
      notAfter: 2026-12-31
    - name: db
      from:
        - workload: web
          addresses: [10.0.0.0/8]
      requests:
        - tcp 5432
`;

export const SHOP_FILES: readonly PolicyFile[] = [{ path: "shop.yaml", text: SHOP_TEXT }];

export function shopSet(text: string = SHOP_TEXT): PolicySet {
  const { documents, diagnostics } = parseDocuments([{ path: "shop.yaml", text }]);
  return resolve(documents, { diagnostics });
}
