/** A set with one caller and `count - 1` destinations, each of which it may read. */
export function manyWorkloads(count: number): string {
  const workloads = Array.from({ length: count - 1 }, (_, index) => destination(`app-${index + 1}`));
  return [mesh, workload("web"), ...workloads].join("---\n");
}

const mesh = `apiVersion: cellwall.dev/v1
kind: Mesh
metadata: { name: test }
spec: { trustDomain: test.example, defaultMode: enforce }
`;

function workload(name: string): string {
  return `apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: ${name}, namespace: shop, labels: { app: ${name} } }
spec: { mode: enforce }
`;
}

function destination(name: string): string {
  return `${workload(name)}---
apiVersion: cellwall.dev/v1
kind: AccessPolicy
metadata: { name: ${name}, namespace: shop }
spec:
  protects: { workload: ${name} }
  allow:
    - name: web-reads
      from:
        - workload: web
      requests:
        - GET|HEAD /orders/{id:int}
        - GET /static/**
  deny:
    - name: nobody-administers
      requests:
        - ANY /admin/**
`;
}
