import { describe, expect, it } from "vitest";
import { resolve } from "../../resolve/resolve.ts";
import { parseDocuments } from "../../syntax/index.ts";
import { importKubernetes } from "./import-kubernetes.ts";

const TUTORIAL = `kind: NetworkPolicy
apiVersion: networking.k8s.io/v1
metadata: { name: web-allow-all }
spec:
  podSelector: { matchLabels: { app: web } }
  ingress:
  - {}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: { name: test-network-policy, namespace: default }
spec:
  podSelector: { matchLabels: { role: db } }
  policyTypes: [Ingress, Egress]
  ingress:
  - from:
    - ipBlock: { cidr: 172.17.0.0/16, except: [172.17.1.0/24] }
    - ipBlock: { cidr: 0.0.0.0/0 }
    - namespaceSelector: { matchLabels: { project: myproject } }
    - podSelector: { matchLabels: { role: frontend } }
    ports: [{ protocol: TCP, port: 6379 }]
  egress:
  - to: [{ ipBlock: { cidr: 10.0.0.0/24 } }]
---
apiVersion: v1
kind: Namespace
metadata: { name: mine, labels: { project: myproject } }
`;

const read = (workloads?: Parameters<typeof importKubernetes>[1]["workloads"]) => {
  const { documents, report } = importKubernetes(
    [{ path: "np.yaml", text: TUTORIAL }],
    workloads === undefined ? {} : { workloads },
  );
  const parsed = parseDocuments([{ path: "imported.yaml", text: documents }]);
  return { report, documents, set: resolve(parsed.documents, { diagnostics: parsed.diagnostics }) };
};

describe("import of Kubernetes NetworkPolicies", () => {
  it("writes what tutorials teach without errors, with or without a registry", () => {
    const db = { namespace: "default", name: "db", labels: { role: "db" } };
    for (const { set } of [read(), read([db])])
      expect(set.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  });

  it("keeps anti-patterns, as rules on addresses and on everybody", () => {
    const { documents } = read();
    expect(documents).toContain("0.0.0.0/0");
    expect(documents).toContain("anyone: anonymous");
  });

  it("tells namespaces by the labels of the Namespaces beside the policies", () => {
    expect(read().documents).toContain("spiffe://cluster.local/ns/mine/**");
  });

  it("says that workloads without a policy stay closed where there is no registry, and opens them where there is one", () => {
    const { report } = read();
    const entry = report.entries.find(({ construct }) => construct.startsWith("no NetworkPolicy selects"));
    expect(entry).toMatchObject({ fidelity: "narrower", scope: "unregistered" });
    const open = read([{ namespace: "other", name: "api", labels: {} }]);
    expect(open.documents).toContain("name: kubernetes-default-api");
  });
});
