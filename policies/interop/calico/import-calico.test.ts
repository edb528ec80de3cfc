import { describe, expect, it } from "vitest";
import { attributesOf } from "../../findings/index.ts";
import { compile, decide, parseDocuments, resolve } from "../../index.ts";
import { type ImportOptions, type ImportWorkload, importPolicies } from "../index.ts";

const workload = (namespace: string, name: string): ImportWorkload => ({
  namespace,
  name,
  labels: { app: name },
  ports: [8080, 9090],
  namedPorts: { http: 8080 },
});
const OPTIONS: ImportOptions = {
  workloads: [workload("shop", "web"), workload("shop", "api"), workload("stock", "db")],
};

const policy = (spec: object, more: object = {}): unknown => ({
  apiVersion: "projectcalico.org/v3",
  kind: "GlobalNetworkPolicy",
  metadata: { name: "p" },
  spec: { selector: "app == 'api'", types: ["Ingress"], ...spec },
  ...more,
});

function imported(documents: readonly unknown[], options = OPTIONS) {
  const text = documents.map((one) => JSON.stringify(one)).join("\n---\n");
  const result = importPolicies("calico", [{ path: "c.yaml", text }], options);
  const parsed = parseDocuments([{ path: "out.yaml", text: result.documents }]);
  const set = resolve(parsed.documents, { diagnostics: parsed.diagnostics });
  expect(set.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  const verdict = (from: string, to = "shop/api", port = 8080): string =>
    decide(compile(set), attributesOf({ from, to, port, request: "GET /" }, set, { now: new Date(0) })).verdict;
  return { ...result, verdict };
}

const ALLOW = { action: "Allow" };

describe("rules of Calico that ask for what is not known", () => {
  it.each([
    ["another Service", { services: { name: "web", namespace: "shop" } }],
    ["labels of service accounts", { serviceAccounts: { selector: "role == 'front'" } }],
    ["the caller's own port", { ports: [5000] }],
  ])("allow nobody by %s, deny whoever it may be, and pass nobody on", (_title, source) => {
    const later = policy({ tier: "default", ingress: [ALLOW] }, { metadata: { name: "later" } });
    const of = (action: string) => imported([policy({ order: 1, ingress: [{ action, source }, ALLOW] }), later]);
    expect(imported([policy({ ingress: [{ action: "Allow", source }] })]).verdict("shop/web")).toBe("deny");
    expect(of("Deny").verdict("shop/web")).toBe("deny");
    expect(of("Pass").verdict("shop/web")).toBe("deny");
    expect(of("Deny").report.summary.narrower).toBeGreaterThan(0);
  });

  it("hold for every workload that a selector of service accounts may select", () => {
    const spec = { order: 1, serviceAccountSelector: "role == 'front'", ingress: [{ action: "Deny" }] };
    const { verdict } = imported([policy(spec), policy({ ingress: [ALLOW] }, { metadata: { name: "q" } })]);
    expect(verdict("shop/web")).toBe("deny");
  });
});

describe("selectors of Calico", () => {
  it.each([
    ["projectcalico.org/namespace == 'shop'", ["shop/web"]],
    ["pcns.projectcalico.org/name == 'stock'", ["stock/db"]],
    ["projectcalico.org/serviceaccount in {'web', 'db'}", ["shop/web", "stock/db"]],
  ])("see the labels that every endpoint has: %s", (selector, callers) => {
    const { verdict } = imported([policy({ ingress: [{ ...ALLOW, source: { selector } }] })]);
    expect(["shop/web", "stock/db"].filter((one) => verdict(one) === "allow")).toEqual(callers);
  });

  it("of namespaces find no workload where they ask for what has none", () => {
    const of = (namespaceSelector: string) =>
      imported([policy({ ingress: [{ ...ALLOW, source: { namespaceSelector } }] })]).verdict("shop/web");
    expect([of("all()"), of("global()")]).toEqual(["allow", "deny"]);
  });
});

describe("ports of Calico", () => {
  it("may be named; a name that the callee lacks opens nothing and closes all", () => {
    const of = (action: string, port: string) => {
      const rule = { action, destination: { ports: [port] } };
      const { verdict } = imported([policy({ ingress: action === "Deny" ? [rule, ALLOW] : [rule] })]);
      return [verdict("shop/web", "shop/api", 8080), verdict("shop/web", "shop/api", 9090)];
    };
    expect(of("Allow", "http")).toEqual(["allow", "deny"]);
    expect(of("Deny", "http")).toEqual(["deny", "allow"]);
    expect(of("Allow", "grpc")).toEqual(["deny", "deny"]);
    expect(of("Deny", "grpc")).toEqual(["deny", "deny"]);
  });

  it("that no rule names are said to stay closed where the callee's are not known", () => {
    const rules = [{ action: "Deny", destination: { ports: [9090] } }, ALLOW];
    const { ports: _ports, ...api } = workload("shop", "api");
    const { report, verdict } = imported([policy({ ingress: rules })], { workloads: [workload("shop", "web"), api] });
    expect(verdict("shop/web", "shop/api", 7000)).toBe("deny");
    expect(
      report.entries.some(({ construct, scope }) => construct === "ports of shop/api" && scope === undefined),
    ).toBe(true);
  });
});

describe("egress of Calico", () => {
  const leaving = (rules: readonly unknown[]): unknown =>
    policy({ selector: "app == 'web'", types: ["Egress"], egress: rules }, { metadata: { name: "out" } });

  it("keeps a caller from what its own policies do not let it reach", () => {
    const { verdict } = imported([leaving([{ ...ALLOW, destination: { selector: "app == 'api'", ports: [8080] } }])]);
    expect([verdict("shop/web"), verdict("shop/web", "shop/api", 9090), verdict("shop/web", "stock/db")]).toEqual([
      "allow",
      "deny",
      "deny",
    ]);
    expect(verdict("stock/db", "shop/api")).toBe("allow");
  });

  it("is what a policy without types and with rules of egress alone is of", () => {
    const { verdict } = imported([policy({ types: undefined, egress: [ALLOW] })]);
    expect(verdict("shop/web")).toBe("allow");
  });

  it("by addresses lets nobody out, and the report says so", () => {
    const { verdict, report } = imported([leaving([{ ...ALLOW, destination: { nets: ["0.0.0.0/0"] } }])]);
    expect(verdict("shop/web")).toBe("deny");
    expect(report.entries.some(({ scope, fidelity }) => scope === "egress" && fidelity === "narrower")).toBe(true);
  });
});

describe("what is no policy of workloads", () => {
  it("is told: Kubernetes' own, and policies of hosts", () => {
    const own = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata: { name: "n" }, spec: {} };
    const { report, verdict } = imported([own, policy({ preDNAT: true, ingress: [{ action: "Deny" }] })]);
    expect(report.summary.unsupported).toBe(1);
    expect(verdict("shop/web")).toBe("allow");
  });
});
