/** A team's grant beside the starter set: its namespace, identities below `spiffe://mesh.example/<namespace>/`, and the label `app`. */
export function teamText(name: string, namespace: string): string {
  return `apiVersion: cellwall.dev/v1
kind: Team
metadata: { name: ${name} }
spec:
  namespaces: [${namespace}]
  publishers: [{ oidc: { issuer: "https://ci.example", audience: cellwall, claims: { repository: acme/${name} } } }]
  mayRegister: ["spiffe://mesh.example/${namespace}/**"]
  mayLabel: [app]
`;
}
