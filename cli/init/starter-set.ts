/** A file of the starter set, by its name. */
export interface StarterFile {
  readonly name: string;
  readonly text: string;
}

/** Lets editors with a YAML language server complete and check what is typed. */
const SCHEMA_LINE = "# yaml-language-server: $schema=node_modules/cellwall/docs/schema/cellwall.schema.json";

/** The set that `cellwall init` writes: one mesh, two workloads, one access policy and its tests, each line explained where it stands. */
export function starterSet(trustDomain: string): readonly StarterFile[] {
  return [
    { name: "mesh.yaml", text: mesh(trustDomain) },
    { name: "workloads.yaml", text: workloads(trustDomain) },
    { name: "access.yaml", text: ACCESS },
    { name: "tests.yaml", text: TESTS },
  ].map(({ name, text }) => ({ name, text: `${SCHEMA_LINE}\n${text}` }));
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
# cellwall:ignore unprotected-workload nobody in the mesh calls web
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
  # Who answers for it.
  owner: team-orders
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

const TESTS = `# What the policies promise. \`cellwall test\` runs each case by the code that decides live requests;
# \`cellwall test --mutate\` changes the policies in small ways and lists the changes that no case notices.
apiVersion: cellwall.dev/v1
kind: PolicyTest
metadata: { name: orders, namespace: shop }
spec:
  to: orders
  cases:
    - { from: web, request: GET /orders/42, expect: allow, rule: orders/web-reads-orders }
    - { from: web, request: HEAD /orders/42, expect: allow, rule: orders/web-reads-orders }
    # A denial may say why.
    - { from: web, request: DELETE /orders/42, expect: deny, because: no-rule-matched }
    - { from: web, request: GET /orders/latest, expect: deny, because: no-rule-matched }
    - { from: web, request: GET /customers/42, expect: deny, because: no-rule-matched }
    - { from: orders, request: GET /orders/42, expect: deny, because: no-rule-matched }
    - from: web
      request: POST /orders
      headers: { content-type: application/json; charset=utf-8 }
      expect: allow
      rule: orders/web-places-orders
    - { from: web, request: POST /orders, headers: { content-type: text/plain }, expect: deny }
    - { from: web, request: PUT /orders, headers: { content-type: application/json }, expect: deny }
    - { from: web, request: POST /customers, headers: { content-type: application/json }, expect: deny }
    - { from: orders, request: POST /orders, headers: { content-type: application/json }, expect: deny }
    - { from: web, request: GET /admin/users, expect: deny, rule: orders/nobody-administers }
    # What two servers could read differently is refused before any rule is asked.
    - { from: web, request: GET /orders/../admin/users, expect: deny, because: ambiguous-path }
---
apiVersion: cellwall.dev/v1
kind: PolicyTest
metadata: { name: web, namespace: shop }
spec:
  to: web
  cases:
    - { from: orders, request: GET /, expect: deny, because: no-policy-protects }
`;
