import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { PolicySet } from "../model/index.ts";
import { parseDocuments } from "../syntax/parse-documents.ts";
import { resolve } from "./resolve.ts";

const BASE = readFileSync(new URL("../syntax/golden/base.yaml.in", import.meta.url), "utf8");

function setOf(...texts: readonly string[]): PolicySet {
  const { documents, diagnostics } = parseDocuments(
    [BASE, ...texts].map((text, index) => ({ path: `${index}.yaml`, text })),
  );
  return resolve(documents, { diagnostics });
}

function document(kind: string, name: string, spec: string, labels = ""): string {
  const namespace = kind === "Mesh" || kind === "Node" ? "" : ", namespace: shop";
  return `apiVersion: cellwall.dev/v1\nkind: ${kind}\nmetadata: { name: ${name}${namespace}${labels} }\nspec:\n${spec.replaceAll(/^/gm, "  ")}\n`;
}

const codes = (set: PolicySet): readonly string[] => set.diagnostics.map(({ code }) => code);
const RULE = `allow:
  - name: r
    from:
      - workload: web
      - labels: { tier: { in: [front, middle] } }
        namespace: "*"
      - spiffe: spiffe://partner.example/billing/**
    requests:
      - GET|HEAD /orders/{id:int}.json
    headers: { content-type: { prefix: application/json } }
    jwt: { provider: corp, scopes: [orders:read], claims: { groups: { has: admins } } }
    notBefore: 2027-01-01
    notAfter: 2027-03-31
    except: { from: [{ workload: old/legacy }] }
    across: [env]
`;

describe("resolve", () => {
  it("reads the base set without a finding", () => {
    expect(setOf().diagnostics).toEqual([]);
  });

  it("gives every part of a rule the shape of the model", () => {
    const set = setOf(
      document("AccessPolicy", "orders", `protects: { labels: { app: orders } }\nowner: team-orders\n${RULE}`),
    );
    expect(set.diagnostics).toEqual([]);
    const [policy] = set.policies;
    expect(policy).toMatchObject({
      namespace: "shop",
      name: "orders",
      stage: "live",
      action: "replace",
      owner: "team-orders",
      deny: [],
    });
    expect(policy?.destinations).toEqual(["spiffe://shop.example/shop/orders"]);
    const [rule] = policy?.allow ?? [];
    expect(rule).toMatchObject({ effect: "allow", name: "r", across: ["env"], always: false });
    expect(
      rule?.from?.map(({ span: _, spiffe, ...selector }) => ({ ...selector, spiffe: spiffe?.id.toString() })),
    ).toEqual([
      { workload: { namespace: "shop", name: "web" } },
      { labels: new Map([["tier", { kind: "in", values: ["front", "middle"] }]]), namespace: "*" },
      { spiffe: "spiffe://partner.example/billing" },
    ]);
    expect(rule?.requests?.[0]).toMatchObject({
      kind: "http",
      methods: ["GET", "HEAD"],
      text: "GET|HEAD /orders/{id:int}.json",
      path: {
        segments: [
          { kind: "literal", value: "orders" },
          { kind: "parameter", name: "id", type: "int", prefix: "", suffix: ".json" },
        ],
      },
      span: { file: "1.yaml", line: 15, column: 11 },
    });
    expect(rule?.notBefore?.toISOString()).toBe("2027-01-01T00:00:00.000Z");
    expect(rule?.notAfter?.toISOString()).toBe("2027-03-31T23:59:59.999Z");
    expect(rule?.jwt).toEqual({
      provider: "corp",
      scopes: ["orders:read"],
      claims: new Map([["groups", { kind: "has", value: "admins" }]]),
    });
    expect(rule?.except?.from?.[0]?.workload).toEqual({ namespace: "old", name: "legacy" });
  });

  it("keeps percent-encoded literals decoded in segments and canonical in text", () => {
    const set = setOf(
      document(
        "AccessPolicy",
        "orders",
        "protects: { workload: orders }\ndeny:\n  - name: d\n    requests: [ANY /caf%C3%A9/%2A/]",
      ),
    );
    expect(set.diagnostics).toEqual([]);
    const line = set.policies[0]?.deny[0]?.requests?.[0];
    expect(line?.text).toBe("ANY /caf%C3%A9/%2A/");
    expect(
      line?.kind === "http" && line.path.segments.map((one) => (one.kind === "literal" ? one.value : one.kind)),
    ).toEqual(["café", "*", ""]);
  });

  it("merges a later Mesh and Workload as a JSON Merge Patch: null removes, maps merge, lists are replaced", () => {
    const set = setOf(
      "apiVersion: cellwall.dev/v1\nkind: Mesh\nmetadata: { name: shop }\nspec: { defaultMode: monitor, isolate: null }\n",
      document(
        "Workload",
        "web",
        "mode: enforce\nattest: null\nsidecar:\n  listens:\n    - { port: 9000, app: 127.0.0.1:80, protocol: http }",
        ", labels: { tier: null, extra: x }",
      ),
    );
    expect(set.diagnostics).toEqual([]);
    expect(set.mesh).toMatchObject({ defaultMode: "monitor", isolate: [], federated: ["partner.example"] });
    const web = set.workloads.find(({ name }) => name === "web");
    expect(web?.labels).toEqual(
      new Map([
        ["app", "web"],
        ["env", "prod"],
        ["extra", "x"],
      ]),
    );
    expect(web).toMatchObject({ mode: "enforce", attest: [], sidecar: { address: "web", listens: [{ port: 9000 }] } });
  });

  it("refuses null in a first document, where there is nothing to remove", () => {
    expect(codes(setOf(document("Workload", "solo", "mode: null", ", labels: { env: prod }")))).toEqual([
      "ERR_POLICY_NOT_TEXT",
    ]);
  });

  it("takes an overlay alone for what it is: incomplete", () => {
    const text = "apiVersion: cellwall.dev/v1\nkind: Mesh\nmetadata: { name: shop }\nspec: { defaultMode: monitor }\n";
    const { documents, diagnostics } = parseDocuments([{ path: "a.yaml", text }]);
    expect(diagnostics).toEqual([]);
    expect(codes(resolve(documents))).toEqual(["ERR_POLICY_MISSING_KEY"]);
  });

  it("gives defaults: identity, mode, listeners, path reading", () => {
    const set = setOf();
    const db = set.workloads.find(({ name }) => name === "db");
    expect(db?.identity.toString()).toBe("spiffe://shop.example/shop/db");
    expect(db).toMatchObject({
      mode: "enforce",
      attest: [],
      paths: { caseInsensitive: false, matrixParameters: "reject" },
    });
    expect(db?.sidecar?.listens[0]).toMatchObject({ upgrades: [], speaksFirst: "client", clients: "mesh" });
    expect(set.destinations).toEqual(set.workloads.map(({ identity }) => identity.toString()).sort());
  });

  it("lets namespace mesh protect workloads of every namespace, and no other", () => {
    const everywhere = document("AccessPolicy", "all", 'protects: { namespaces: "*" }\ndeny:\n  - name: d').replace(
      "namespace: shop",
      "namespace: mesh",
    );
    const set = setOf(everywhere);
    expect(set.diagnostics).toEqual([]);
    expect(set.policies[0]?.destinations).toHaveLength(4);
  });

  it("lets a candidate of one name stand beside the live policy, and withdraw it", () => {
    const live = document("AccessPolicy", "orders", `protects: { workload: orders }\n${RULE}`);
    const replace = document("AccessPolicy", "orders", `stage: candidate\nprotects: { workload: web }\n${RULE}`);
    expect(setOf(live, replace).policies.map(({ stage, action }) => `${stage} ${action}`)).toEqual([
      "live replace",
      "candidate replace",
    ]);
    const set = setOf(document("AccessPolicy", "orders", "stage: candidate\naction: withdraw"), live);
    expect(set.diagnostics).toEqual([]);
    expect(set.policies[1]).toMatchObject({
      stage: "candidate",
      action: "withdraw",
      allow: [],
      deny: [],
      destinations: ["spiffe://shop.example/shop/orders"],
    });
  });

  it("allows two workloads one uid only where both say so", () => {
    const spec = (shared: boolean): string => `attest: [{ socket: { uid: 7, sharedUid: ${shared} } }]`;
    const pair = (a: boolean, b: boolean): readonly string[] =>
      codes(
        setOf(
          document("Workload", "a", spec(a), ", labels: { env: prod }"),
          document("Workload", "b", spec(b), ", labels: { env: prod }"),
        ),
      );
    expect(pair(true, true)).toEqual([]);
    expect(pair(true, false)).toEqual(["ERR_POLICY_DUPLICATE_UID"]);
    expect(pair(false, true)).toEqual(["ERR_POLICY_DUPLICATE_UID"]);
  });

  it("lets a condition stand on a withheld header that the sidecar is told to send, or that a user's own Envoy may send", () => {
    const rule = "protects: { workload: web }\ndeny:\n  - name: d\n    headers: { cookie: { present: true } }";
    expect(codes(setOf(document("AccessPolicy", "p", rule)))).toEqual(["ERR_POLICY_WITHHELD_HEADER"]);
    expect(
      codes(
        setOf(document("AccessPolicy", "p", rule), document("Workload", "web", "sidecar: { checkHeaders: [cookie] }")),
      ),
    ).toEqual([]);
    expect(
      codes(setOf(document("AccessPolicy", "p", rule.replace("web", "legacy")).replaceAll("shop", "old"))),
    ).toEqual([]);
  });

  it("blames nobody for a workload, mesh or policy that has errors itself", () => {
    const broken = document("Workload", "broken", "mod: enforce");
    const rule =
      "protects: { labels: { a: b } }\nallow:\n  - name: r\n    from: [{ workload: broken }, { labels: { c: d } }]\n    requests: [GET /a]";
    expect(codes(setOf(broken, document("AccessPolicy", "p", rule)))).toEqual(["ERR_POLICY_UNKNOWN_KEY"]);
  });

  it("freezes the set through and through", () => {
    const set = setOf(document("AccessPolicy", "orders", `protects: { workload: orders }\n${RULE}`));
    const rule = set.policies[0]?.allow[0];
    for (const part of [
      set,
      set.mesh,
      set.workloads,
      set.workloads[0]?.sidecar?.listens[0],
      rule,
      rule?.from?.[1],
      rule?.from?.[1]?.labels?.get("tier"),
      rule?.requests?.[0],
      rule?.headers,
    ]) {
      expect(part).toBeDefined();
      expect(Object.isFrozen(part)).toBe(true);
    }
  });

  it("does not depend on the order of policies", () => {
    const one = document("AccessPolicy", "a", "protects: { workload: orders }\ndeny:\n  - name: d");
    const two = document("AccessPolicy", "b", "protects: { workload: web }\ndeny:\n  - name: d");
    const names = (set: PolicySet): readonly string[] => set.policies.map(({ name }) => name).sort();
    expect(names(setOf(one, two))).toEqual(names(setOf(two, one)));
  });
});
