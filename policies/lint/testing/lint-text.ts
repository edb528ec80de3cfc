import type { Finding } from "../../findings/index.ts";
import { resolve } from "../../resolve/resolve.ts";
import { parseDocuments } from "../../syntax/parse-documents.ts";
import { lint } from "../lint.ts";

export const NOW = new Date("2026-06-01T12:00:00Z");

const MESH = `apiVersion: cellwall.dev/v1
kind: Mesh
metadata: { name: shop }
spec: { trustDomain: shop.example, defaultMode: enforce, federation: [{ trustDomain: partner.example }] }
`;

/** A mesh of `web`, which calls `orders`, and `db` and `batch`, which are there as well; none has anything to be found. */
const WORKLOADS = `apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: web, namespace: shop, labels: { app: web, tier: front } }
spec:
  sidecar: { address: web, calls: [{ workload: orders, port: 8443, local: "unix:/run/orders.sock" }] }
---
apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: batch, namespace: shop, labels: { app: batch, tier: back } }
spec:
  sidecar: { address: batch, calls: [{ workload: orders, port: 8443, local: "unix:/run/orders.sock" }] }
---
apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: orders, namespace: shop, labels: { app: orders, tier: middle } }
spec:
  sidecar:
    address: orders
    listens:
      - { port: 8443, app: "unix:/run/app.sock", protocol: http, upgrades: [websocket] }
      - { port: 443, app: "unix:/run/edge.sock", protocol: http, clients: public }
      - { port: 5432, app: "unix:/run/tcp.sock", protocol: tcp }
`;

/** A policy that protects `orders`, its rules as YAML with two blanks before `allow:` and `deny:`. */
export function policy(
  rules: string,
  head = "protects: { workload: orders }\n  owner: team-orders",
  name = "orders",
): string {
  return `apiVersion: cellwall.dev/v1
kind: AccessPolicy
metadata: { name: ${name}, namespace: shop }
spec:
  ${head}
${rules}`;
}

/** An allow rule of `web` with these lines; `more` stands below at the rule's own keys. */
export function allow(lines: readonly string[], more = "", from = "workload: web", name = "reads"): string {
  return rule("allow", name, lines, more, from);
}

function rule(effect: string, name: string, lines: readonly string[], more: string, from: string): string {
  const requests = lines.map((line) => `\n        - ${JSON.stringify(line)}`).join("");
  return `  ${effect}:
    - name: ${name}
      from:
        - { ${from} }
      requests:${requests}${more === "" ? "" : `\n      ${more}`}
`;
}

/** Findings of documents beside a mesh and workloads that say nothing themselves. Throws where the text has errors. */
export function lintText(...documents: readonly string[]): readonly Finding[] {
  return lintFiles([MESH, WORKLOADS, ...documents].map((text, index) => ({ path: `${index}.yaml`, text })));
}

/** Findings of files alone. */
export function lintFiles(
  files: readonly { readonly path: string; readonly text: string }[],
  now: Date = NOW,
): readonly Finding[] {
  const { documents, diagnostics } = parseDocuments(files);
  const set = resolve(documents, { diagnostics });
  const error = set.diagnostics.find(({ severity }) => severity === "error");
  if (error !== undefined) throw new TypeError(`${error.span.file}:${error.span.line}: ${error.message}`);
  return lint(set, { now, documents });
}

/** Findings of one id. */
export function found(id: string, ...documents: readonly string[]): readonly Finding[] {
  return lintText(...documents).filter((one) => one.id === id);
}
