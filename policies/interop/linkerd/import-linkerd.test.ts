import { describe, expect, it } from "vitest";
import { attributesOf, type WitnessRequest } from "../../findings/index.ts";
import { compile, decide, parseDocuments, resolve } from "../../index.ts";
import { type ImportOptions, importPolicies } from "../index.ts";
import { networkWithout } from "./networks.ts";

const OPTIONS: ImportOptions = {
  federation: ["partner.example"],
  workloads: [
    { namespace: "shop", name: "api", labels: { app: "api" }, namedPorts: { http: 8080 } },
    { namespace: "shop", name: "web", labels: { app: "web" } },
    { namespace: "ops", name: "probe", labels: { app: "probe" } },
  ],
};
const metadata = { name: "x", namespace: "shop" };
const server = (spec: object = {}): unknown => ({
  kind: "Server",
  metadata: { name: "api", namespace: "shop" },
  spec: { podSelector: { matchLabels: { app: "api" } }, port: 8080, ...spec },
});
const policy = (...requiredAuthenticationRefs: readonly unknown[]): unknown => ({
  kind: "AuthorizationPolicy",
  metadata,
  spec: { targetRef: { group: "policy.linkerd.io", kind: "Server", name: "api" }, requiredAuthenticationRefs },
});
const meshTls = (...identities: readonly string[]): unknown => ({
  kind: "MeshTLSAuthentication",
  metadata,
  spec: { identities },
});
const MESH_TLS = { kind: "MeshTLSAuthentication", name: "x" };
const NETWORK = { kind: "NetworkAuthentication", name: "x" };

function imported(...documents: readonly unknown[]) {
  const texts = documents.map((document, at) => ({ path: `${at}.json`, text: JSON.stringify(document) }));
  const result = importPolicies("linkerd", texts, OPTIONS);
  const parsed = parseDocuments([{ path: "out.yaml", text: result.documents }]);
  const set = resolve(parsed.documents, { diagnostics: parsed.diagnostics });
  expect(set.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  const verdict = (from: string, more: Partial<WitnessRequest> = {}): string =>
    decide(
      compile(set),
      attributesOf({ from, to: "shop/api", request: "GET /", port: 8080, ...more }, set, { now: new Date(0) }),
    ).verdict;
  return { ...result, verdict };
}

describe("a Server's port", () => {
  it("is told by its name, of the workload or of the options", () => {
    expect(imported(server({ port: "http" }), policy(MESH_TLS), meshTls("*")).verdict("shop/web")).toBe("allow");
    const texts = [server({ port: "web" }), policy(MESH_TLS), meshTls("*")].map((document, at) => ({
      path: `${at}.json`,
      text: JSON.stringify(document),
    }));
    expect(importPolicies("linkerd", texts, {}).report.summary.unsupported).toBe(1);
    expect(importPolicies("linkerd", texts, { portNames: { web: 8081 } }).documents).toContain("- 8081\n");
  });
});

describe("identities", () => {
  it.each([
    ["*", ["shop/web", "ops/probe", "spiffe://partner.example/a"]],
    ["web.shop.serviceaccount.identity.linkerd.cluster.local", ["shop/web"]],
    ["*.ops.serviceaccount.identity.linkerd.cluster.local", ["ops/probe"]],
    ["*.identity.linkerd.cluster.local", ["shop/web", "ops/probe"]],
    ["web.*.serviceaccount.identity.linkerd.cluster.local", []],
    ["spiffe://partner.example/a", ["spiffe://partner.example/a"]],
    ["spiffe://stranger.example/a", []],
  ])("%s lets %j in and nobody else", (identity, callers) => {
    const { verdict } = imported(server(), meshTls(identity), policy(MESH_TLS));
    const all = ["shop/web", "ops/probe", "spiffe://partner.example/a", "anonymous"];
    expect(all.filter((caller) => verdict(caller) === "allow")).toEqual(callers);
  });
});

describe("authorizations", () => {
  it("without requirements are for everybody", () => {
    expect(imported(server(), policy()).verdict("anonymous")).toBe("allow");
  });

  it("ask for the identity and the network at once", () => {
    const network = {
      kind: "NetworkAuthentication",
      metadata,
      spec: { networks: [{ cidr: "10.0.0.0/8", except: ["10.1.0.0/16"] }] },
    };
    const { verdict } = imported(server(), meshTls("*"), network, policy(MESH_TLS, NETWORK));
    expect(verdict("shop/web", { address: "10.2.0.1" })).toBe("allow");
    expect(verdict("shop/web", { address: "10.1.0.1" })).toBe("deny");
    expect(verdict("anonymous", { address: "10.2.0.1" })).toBe("deny");
  });

  it("that name what is not there let nobody in", () => {
    const { verdict, report } = imported(server(), policy(MESH_TLS));
    expect(verdict("shop/web")).toBe("deny");
    expect(report.entries.some(({ reason }) => reason.startsWith("names nothing"))).toBe(true);
  });

  it("of the older form are read", () => {
    const old = {
      kind: "ServerAuthorization",
      metadata,
      spec: { server: { name: "api" }, client: { meshTLS: { serviceAccounts: [{ name: "web" }] } } },
    };
    const { verdict } = imported(server(), old);
    expect([verdict("shop/web"), verdict("ops/probe")]).toEqual(["allow", "deny"]);
  });
});

describe("servers", () => {
  it.each([
    ["deny", []],
    ["all-authenticated", ["shop/web"]],
    ["all-unauthenticated", ["shop/web", "anonymous"]],
    ["audit", ["shop/web", "anonymous"]],
    ["cluster-authenticated", []],
  ])("with the access policy %s let %j in", (accessPolicy, callers) => {
    const { verdict } = imported(server({ accessPolicy }));
    expect(["shop/web", "anonymous"].filter((caller) => verdict(caller) === "allow")).toEqual(callers);
  });

  it("are of one port, also by name", () => {
    const { verdict } = imported(server({ port: "http" }), policy());
    expect([verdict("shop/web"), verdict("shop/web", { port: 81 })]).toEqual(["allow", "deny"]);
    expect(imported(server({ port: "unknown" }), policy()).report.summary.unsupported).toBe(1);
  });

  it("without routes open connections too, with routes none", () => {
    expect(imported(server(), policy()).verdict("shop/web", { request: "tcp 8080" })).toBe("allow");
    const route = { kind: "HTTPRoute", metadata, spec: { parentRefs: [{ kind: "Server", name: "api" }], rules: [{}] } };
    const { verdict } = imported(server(), route, policy());
    expect([verdict("shop/web", { request: "tcp 8080" }), verdict("shop/web")]).toEqual(["deny", "allow"]);
  });
});

describe("gRPC routes", () => {
  it("are lines of gRPC", () => {
    const route = {
      kind: "GRPCRoute",
      metadata,
      spec: {
        parentRefs: [{ kind: "Server", name: "api" }],
        rules: [{ matches: [{ method: { service: "a.B", method: "C" } }] }],
      },
    };
    const { verdict } = imported(server(), route, policy());
    expect(["grpc a.B/C", "POST /a.B/C", "grpc a.B/D"].map((request) => verdict("shop/web", { request }))).toEqual([
      "allow",
      "allow",
      "deny",
    ]);
  });
});

describe("networks with exceptions", () => {
  it.each([
    ["10.0.0.0/30", ["10.0.0.1"], ["10.0.0.0/32", "10.0.0.2/31"]],
    ["10.0.0.0/24", ["10.0.0.0/24"], []],
    ["10.0.0.0/24", ["192.168.0.0/16"], ["10.0.0.0/24"]],
    ["::/0", ["8000::/1"], ["::/1"]],
  ])("%s without %j is %j", (cidr, except, blocks) => {
    expect(networkWithout(cidr, except)).toEqual(blocks);
  });

  it("are not read where a text is no block", () => {
    expect(networkWithout("10.0.0.0/33", [])).toBeUndefined();
    expect(networkWithout("10.0.0.0/8", ["x"])).toBeUndefined();
  });
});

describe("an authorization", () => {
  const other = {
    kind: "Server",
    metadata: { name: "other", namespace: "shop" },
    spec: { podSelector: { matchLabels: { app: "api" } }, port: 9090 },
  };
  const of = (kind: string, name: string): unknown => ({
    kind: "AuthorizationPolicy",
    metadata,
    spec: { targetRef: { kind, name }, requiredAuthenticationRefs: [] },
  });

  it.each([
    ["Server", "api", ["allow", "deny"]],
    ["Server", "other", ["deny", "allow"]],
    ["Namespace", "shop", ["allow", "allow"]],
    ["Namespace", "ops", ["deny", "deny"]],
  ])("of %s %s opens what it is of and no other Server", (kind, name, verdicts) => {
    const { verdict } = imported(server(), other, of(kind, name));
    expect([8080, 9090].map((port) => verdict("shop/web", { port }))).toEqual(verdicts);
  });
});

describe("what is of no Server among the documents", () => {
  const lost = { kind: "Server", name: "elsewhere" };
  const spec = { targetRef: lost, requiredAuthenticationRefs: [] };

  it.each([
    ["a route", { kind: "HTTPRoute", metadata, spec: { parentRefs: [lost], rules: [{}] } }],
    [
      "a route of outbound requests",
      { kind: "HTTPRoute", metadata, spec: { parentRefs: [{ kind: "Service", name: "a" }] } },
    ],
    ["an AuthorizationPolicy", { kind: "AuthorizationPolicy", metadata, spec }],
    [
      "one of a namespace",
      {
        kind: "AuthorizationPolicy",
        metadata: { name: "x", namespace: "ops" },
        spec: { ...spec, targetRef: { kind: "Namespace", name: "ops" } },
      },
    ],
    [
      "a ServerAuthorization",
      { kind: "ServerAuthorization", metadata, spec: { server: { name: "elsewhere" }, client: {} } },
    ],
  ])("is told by the report: %s", (_title, document) => {
    const { report } = imported(server(), document);
    const own = report.entries.map(({ fidelity, construct }) => [fidelity, construct.split(" ")[0]]);
    expect(own).toEqual([["unsupported", Object(document).kind]]);
  });
});
