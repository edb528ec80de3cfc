import { expect, it } from "vitest";
import { resolve } from "../resolve/resolve.ts";
import { readShards } from "../shard/read-shards.ts";
import { shardOf } from "../shard/shard-of.ts";
import { parseDocuments } from "../syntax/parse-documents.ts";
import { foreignDomainsOf } from "./foreign-domains.ts";

const head = (kind: string, name: string) =>
  `---\napiVersion: cellwall.dev/v1\nkind: ${kind}\nmetadata: { name: ${name}, namespace: shop, labels: { app: ${name} } }\n`;
const policy = (name: string, from: string, more = "") =>
  `${head("AccessPolicy", name)}spec:\n  protects: { workload: ${name} }\n${more}  allow:\n    - name: r\n      from: [${from}]\n      requests: [GET /]\n`;

const TEXT = `apiVersion: cellwall.dev/v1
kind: Mesh
metadata: { name: mesh }
spec:
  trustDomain: shop.example
  defaultMode: enforce
  federation: [{ trustDomain: z.example }, { trustDomain: a.example }, { trustDomain: b.example }]
${head("Workload", "caller")}spec:
  sidecar:
    address: caller
    foreignCalls:
      - { spiffe: spiffe://b.example/y, address: y.b.example, port: 8443, local: "127.0.0.1:9001", protocol: http }
${["web", "orders", "db", "mail"].map((name) => `${head("Workload", name)}spec: { mode: enforce }\n`).join("")}
${policy("orders", "{ spiffe: spiffe://z.example/x/** }, { trustDomain: a.example }, { workload: web }")}
${policy("db", "{ spiffe: spiffe://b.example/x }", "  stage: candidate\n")}
${head("AccessPolicy", "mail")}spec:
  protects: { workload: mail }
  deny:
    - name: d
      from: [{ trustDomain: a.example }]
`;

it("names the foreign trust domains of the allows that protect a workload and of its foreign calls, from a set and from its shard alike", () => {
  const { documents, diagnostics } = parseDocuments([{ path: "all.yaml", text: TEXT }]);
  const set = resolve(documents, { diagnostics });
  expect(set.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  const of = (name: string) => {
    const id = `spiffe://shop.example/shop/${name}`;
    expect(foreignDomainsOf(readShards([shardOf(set, id)]), id)).toEqual(foreignDomainsOf(set, id));
    return foreignDomainsOf(set, id);
  };
  expect(of("orders")).toEqual(["a.example", "z.example"]);
  expect(of("db")).toEqual(["b.example"]);
  expect(of("mail")).toEqual([]);
  expect(of("web")).toEqual([]);
  expect(of("caller")).toEqual(["b.example"]);
});
