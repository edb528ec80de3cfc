/** A file of the starter set, by its name. */
export interface StarterFile {
  readonly name: string;
  readonly text: string;
}

/** The set that `cellwall init` writes: one mesh, two workloads, one access policy, each line explained where it stands. */
export function starterSet(trustDomain: string): readonly StarterFile[] {
  return [
    { name: "mesh.yaml", text: mesh(trustDomain) },
    { name: "workloads.yaml", text: workloads(trustDomain) },
    { name: "access.yaml", text: ACCESS },
  ];
}

const mesh = (
  trustDomain: string,
): string => `# The mesh: its trust domain, and what happens to a request that no rule allows.
# There is exactly one Mesh in a set.
apiVersion: cellwall.dev/v1
kind: Mesh
metadata: { name: mesh }
spec:
  # Every identity begins with spiffe://${trustDomain}/. An authority keeps its trust domain for life.
  trustDomain: ${trustDomain}
  # enforce: what no rule allows is denied. monitor: it is let through and written down as "would deny".
  defaultMode: enforce
`;

const workloads = (trustDomain: string): string => `# The workloads: who is who, and what stands before them.
# Labels are bound to the identity by the authority; nothing that a request carries can set them.
apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: web, namespace: shop, labels: { app: web } }
spec:
  # Identity: spiffe://${trustDomain}/shop/web, from namespace and name.
  sidecar:
    address: 127.0.0.1
    listens:
      # Peers come to port 18443 over mutual TLS; what is allowed goes on to the app, which hears nobody else.
      - { port: 18443, app: "unix:/tmp/cellwall-web.sock", protocol: http }
    calls:
      # The app reaches orders through this socket; its sidecar adds the identity.
      - { workload: orders, port: 18444, local: "unix:/tmp/cellwall-web-to-orders.sock" }
---
apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: orders, namespace: shop, labels: { app: orders } }
spec:
  sidecar:
    address: 127.0.0.1
    listens:
      - { port: 18444, app: "unix:/tmp/cellwall-orders.sock", protocol: http }
`;

const ACCESS = `# Who may reach orders. Each line under \`requests\` can be hit, tested and explained by itself.
# Try: cellwall explain --from web --to orders "GET /orders/42"
#      cellwall explain --from web --to orders "DELETE /orders/42"
apiVersion: cellwall.dev/v1
kind: AccessPolicy
metadata: { name: orders, namespace: shop }
spec:
  protects: { labels: { app: orders } }
  allow:
    - name: web-reads-orders
      from:
        - workload: web
      requests:
        # {id:int} is one path segment of digits. GET does not imply HEAD.
        - GET|HEAD /orders/{id:int}
    - name: web-places-orders
      from:
        - workload: web
      requests:
        - POST /orders
      # Every condition must hold as well.
      headers:
        content-type: { prefix: application/json }
  deny:
    # A deny wins over every allow. Without \`from\` it means everyone.
    - name: nobody-administers
      requests:
        - ANY /admin/**
`;
