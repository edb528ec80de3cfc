import { describe, expect, it } from "vitest";
import { attributesOf } from "../../findings/index.ts";
import { compile, decide, parseDocuments, resolve } from "../../index.ts";
import { type ImportOptions, importPolicies } from "../index.ts";

const id = (path: string): string => `spiffe://mesh.example${path}`;
const workload = (name: string, path: string, labels = {}) => ({ namespace: "shop", name, labels, identity: id(path) });
const OPTIONS: ImportOptions = {
  trustDomain: "mesh.example",
  federation: ["mesh.example.evil"],
  workloads: [
    workload("api", "/ns/api", { app: "api" }),
    workload("back", "/ns/back", { app: "back" }),
    workload("backup", "/ns/backup"),
    workload("below", "/ns/back/x"),
  ],
};

const permission = (conf: unknown, spec: object = {}, more: object = {}): unknown => ({
  type: "MeshTrafficPermission",
  name: "p",
  mesh: "default",
  spec: { ...spec, rules: [{ default: conf }] },
  ...more,
});
const prefix = (value: string): unknown => ({ spiffeID: { type: "Prefix", value } });

function imported(document: unknown, options: ImportOptions = OPTIONS) {
  const result = importPolicies("kuma", [{ path: "p.json", text: JSON.stringify(document) }], options);
  const parsed = parseDocuments([{ path: "out.yaml", text: result.documents }]);
  const set = resolve(parsed.documents, { diagnostics: parsed.diagnostics });
  expect(set.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  const verdict = (from: string, to = "shop/api"): string =>
    decide(compile(set), attributesOf({ from, to, request: "GET /" }, set, { now: new Date(0) })).verdict;
  return { ...result, verdict };
}

const CALLERS = ["shop/back", "shop/backup", "shop/below", "spiffe://mesh.example.evil/a"];

describe("prefixes of identities", () => {
  it.each([
    [id("/ns/back"), ["shop/back", "shop/backup", "shop/below"]],
    [id("/ns/back/"), ["shop/below"]],
    [id("/"), ["shop/back", "shop/backup", "shop/below"]],
    [id(""), ["shop/back", "shop/backup", "shop/below"]],
    ["spiffe://", CALLERS],
    ["spiffe://other", []],
  ])("%s of an allow are %j", (value, callers) => {
    const { verdict } = imported(permission({ allow: [prefix(value)] }));
    expect(CALLERS.filter((caller) => verdict(caller) === "allow")).toEqual(callers);
  });

  it("of an allow stop at the trust domain that they name, and the report says so", () => {
    const { report } = imported(permission({ allow: [prefix(id(""))] }));
    expect(report.entries.some(({ scope, fidelity }) => scope === "foreign" && fidelity === "narrower")).toBe(true);
  });

  it.each([
    [id("/ns/backu"), ["shop/backup"]],
    [id(""), CALLERS],
    [id("/ns/back/"), ["shop/below"]],
  ])("%s of a denial are %j", (value, callers) => {
    const { verdict } = imported(permission({ deny: [prefix(value)], allow: [prefix("spiffe://")] }));
    expect(CALLERS.filter((caller) => verdict(caller) === "deny")).toEqual(callers);
  });

  it("of a denial keep hold of identities that are registered later", () => {
    const { documents } = imported(permission({ deny: [prefix(id("/ns/backu"))], allow: [prefix(id("/"))] }));
    const later = documents.replace("/ns/backup\n", "/ns/backup-2\n");
    expect(later).not.toBe(documents);
    const parsed = parseDocuments([{ path: "later.yaml", text: later }]);
    const set = resolve(parsed.documents, { diagnostics: parsed.diagnostics });
    const attributes = attributesOf({ from: "shop/backup", to: "shop/api", request: "GET /" }, set, {
      now: new Date(0),
    });
    expect(decide(compile(set), attributes).reason).toBe("denied-by-rule");
  });
});

describe("what a policy is of", () => {
  it("is the mesh, or workloads with labels", () => {
    const { verdict } = imported(
      permission({ allow: [prefix(id("/"))] }, { targetRef: { kind: "Dataplane", labels: { app: "api" } } }),
    );
    expect([verdict("shop/backup"), verdict("shop/backup", "shop/back")]).toEqual(["allow", "deny"]);
  });

  it("is the namespace of a resource that is not in the control plane's", () => {
    const of = (namespace: string) => {
      const { type: _type, name, mesh: _mesh, ...rest } = Object(permission({ allow: [prefix(id("/"))] }));
      return imported({ kind: "MeshTrafficPermission", metadata: { name, namespace }, ...rest }).verdict("shop/backup");
    };
    expect([of("kuma-system"), of("shop"), of("stock")]).toEqual(["allow", "allow", "deny"]);
  });

  it("is one mesh: what is of another is left out, and told", () => {
    const [first, second] = ["one", "two"].map((mesh) =>
      permission({ allow: [prefix(id("/"))] }, {}, { name: mesh, mesh }),
    );
    const closed = permission({ allow: [] }, {}, { mesh: "one" });
    expect(imported({ kind: "List", items: [first, second] }).report.summary.unsupported).toBe(1);
    expect(imported({ kind: "List", items: [closed, second] }).verdict("shop/backup")).toBe("deny");
  });

  it("is one listener where its port is known", () => {
    const targetRef = { kind: "Dataplane", labels: { app: "api" }, sectionName: "http" };
    const options = { ...OPTIONS, portNames: { http: 8080 } };
    const { documents, report } = imported(permission({ allow: [prefix(id("/"))] }, { targetRef }), options);
    expect(documents).toContain("- 8080");
    expect(report.summary.unsupported).toBe(0);
  });

  it.each([
    ["one listener whose port is not known", { kind: "Dataplane", labels: { app: "api" }, sectionName: "http" }],
    ["a gateway", { kind: "MeshGateway", name: "edge" }],
    ["a label of Kuma's that the registry lacks", { kind: "Dataplane", labels: { "kuma.io/zone": "east" } }],
  ])("opens nothing where it is %s, and what it denies is denied of all", (_title, targetRef) => {
    const every = permission({ allow: [prefix(id("/"))] });
    const one = permission({ allow: [prefix(id("/"))], deny: [prefix(id("/ns/backu"))] }, { targetRef }, { name: "q" });
    const { verdict, report } = imported(one);
    expect(verdict("shop/below")).toBe("deny");
    expect(report.summary.unsupported).toBeGreaterThan(0);
    const { verdict: both } = imported({ kind: "List", items: [every, one] });
    expect([both("shop/below"), both("shop/backup")]).toEqual(["allow", "deny"]);
  });

  it("is what older tags and services name, where the registry can tell", () => {
    const subset = { kind: "MeshSubset", tags: { app: "api", "k8s.kuma.io/namespace": "shop" } };
    const service = { kind: "MeshService", name: "ns/api" };
    for (const targetRef of [subset, service]) {
      const { verdict } = imported(permission({ allow: [prefix(id("/"))] }, { targetRef }));
      expect([verdict("shop/backup"), verdict("shop/backup", "shop/back")]).toEqual(["allow", "deny"]);
    }
  });

  it("is a candidate where it is only tried out", () => {
    const { verdict, report, documents } = imported(
      permission({ allow: [prefix(id("/"))] }, {}, { labels: { "kuma.io/effect": "shadow" } }),
    );
    expect(verdict("shop/backup")).toBe("deny");
    expect(documents).toContain("stage: candidate");
    expect(report.entries.filter(({ fidelity }) => fidelity !== "exact").map(({ scope }) => scope)).not.toContain(
      undefined,
    );
  });
});

describe("the older form by tags", () => {
  const older = (...from: readonly (readonly [targetRef: unknown, action: string])[]): unknown => ({
    type: "MeshTrafficPermission",
    name: "p",
    spec: { from: from.map(([targetRef, action]) => ({ targetRef, default: { action } })) },
  });
  const MESH = { kind: "Mesh" };
  const SHOP = { kind: "MeshSubset", tags: { "k8s.kuma.io/namespace": "shop" } };
  const BACK = { kind: "MeshSubset", tags: { app: "back" } };
  const SERVICE = { kind: "MeshService", name: "ns/back/x" };
  const ZONE = { kind: "MeshSubset", tags: { "kuma.io/zone": "east" } };

  it.each([
    [older([MESH, "Allow"]), ["shop/back", "shop/backup", "shop/below"]],
    [older([SHOP, "Allow"]), ["shop/back", "shop/backup", "shop/below"]],
    [older([BACK, "ALLOW"]), ["shop/back"]],
    [older([SERVICE, "AllowWithShadowDeny"]), ["shop/below"]],
    [older([MESH, "Allow"], [BACK, "Deny"]), ["shop/backup", "shop/below"]],
    [older([ZONE, "Allow"]), []],
    [older([MESH, "Allow"], [ZONE, "Deny"]), []],
  ])("allows and denies by what the registry tells: %j", (document, callers) => {
    const { verdict } = imported(document);
    expect(CALLERS.filter((caller) => verdict(caller) === "allow")).toEqual(callers);
  });

  it("allows nobody where other policies have rules by identity", () => {
    const rules = permission({ allow: [{ spiffeID: { type: "Exact", value: id("/ns/back") } }] }, {}, { name: "q" });
    const { verdict, report } = imported({ kind: "List", items: [rules, older([MESH, "Allow"])] });
    expect([verdict("shop/back"), verdict("shop/backup")]).toEqual(["allow", "deny"]);
    expect(report.summary.unsupported).toBe(1);
  });

  it("says that denials come first, and whom it cannot tell", () => {
    expect(imported(older([BACK, "Deny"])).report.summary).toMatchObject({ narrower: 1, unsupported: 0 });
    expect(imported(older([ZONE, "Allow"])).report.summary.unsupported).toBe(1);
  });
});

describe("server names", () => {
  const sni = { type: "Exact", value: "a" };

  it("of an allow let nobody in, of a denial deny whatever they are", () => {
    expect(imported(permission({ allow: [{ sni }] })).verdict("shop/back")).toBe("deny");
    const { verdict, report } = imported(
      permission({ deny: [{ sni, ...Object(prefix(id("/ns/back/"))) }], allow: [prefix(id("/"))] }),
    );
    expect([verdict("shop/below"), verdict("shop/back")]).toEqual(["deny", "allow"]);
    expect(report.summary.narrower).toBeGreaterThan(0);
  });
});
