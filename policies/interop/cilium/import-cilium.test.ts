import { describe, expect, it } from "vitest";
import { attributesOf, type WitnessRequest } from "../../findings/index.ts";
import { compile, decide, parseDocuments, resolve } from "../../index.ts";
import type { ImportOptions } from "../index.ts";
import { importPolicies } from "../index.ts";

const OPTIONS: ImportOptions = {
  namespaces: { shop: { team: "a" }, ops: { team: "b" } },
  workloads: [
    { namespace: "shop", name: "web", labels: { app: "web", role: "front" } },
    { namespace: "shop", name: "api", labels: { app: "api" }, namedPorts: { http: 8080 } },
    { namespace: "shop", name: "db", labels: { app: "db" } },
    { namespace: "ops", name: "probe", labels: { app: "web" }, serviceAccount: "prober" },
  ],
};

function policy(
  spec: unknown,
  metadata: unknown = { name: "p", namespace: "shop" },
  kind = "CiliumNetworkPolicy",
): unknown {
  return { apiVersion: "cilium.io/v2", kind, metadata, spec };
}

const API = { matchLabels: { app: "api" } };
const WEB = [{ matchLabels: { "k8s:app": "web" } }];

function imported(...documents: readonly unknown[]) {
  const texts = documents.map((document, at) => ({ path: `${at}.json`, text: JSON.stringify(document) }));
  const result = importPolicies("cilium", texts, OPTIONS);
  const parsed = parseDocuments([{ path: "out.yaml", text: result.documents }]);
  const set = resolve(parsed.documents, { diagnostics: parsed.diagnostics });
  expect(set.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
  const index = compile(set);
  const replay = (witness: WitnessRequest): string =>
    decide(index, attributesOf(witness, set, { now: new Date("2026-11-24T12:00:00Z") })).verdict;
  const verdict = (from: string, request: string, more: Partial<WitnessRequest> = {}): string =>
    replay({ from, to: "shop/api", request, ...more });
  return { ...result, verdict, replay };
}

describe("callers", () => {
  it("are endpoints of the policy's own namespace where a selector names none", () => {
    const { verdict } = imported(policy({ endpointSelector: API, ingress: [{ fromEndpoints: WEB }] }));
    expect(verdict("shop/web", "GET /")).toBe("allow");
    expect(verdict("ops/probe", "GET /")).toBe("deny");
    expect(verdict("shop/db", "GET /")).toBe("deny");
  });

  it.each([
    ["by namespace", { matchLabels: { "k8s:io.kubernetes.pod.namespace": "ops", app: "web" } }],
    ["by the namespace's labels", { matchLabels: { "io.cilium.k8s.namespace.labels.team": "b" } }],
    [
      "by service account",
      {
        matchExpressions: [{ key: "io.kubernetes.pod.namespace", operator: "Exists" }],
        matchLabels: { "io.cilium.k8s.policy.serviceaccount": "prober" },
      },
    ],
  ])("are selected %s", (_title, selector) => {
    const { verdict } = imported(policy({ endpointSelector: API, ingress: [{ fromEndpoints: [selector] }] }));
    expect(verdict("ops/probe", "GET /")).toBe("allow");
    expect(verdict("shop/web", "GET /")).toBe("deny");
  });

  it("of the whole cluster are meant by a clusterwide policy", () => {
    const { verdict } = imported(
      policy(
        { endpointSelector: API, ingress: [{ fromEndpoints: WEB }] },
        { name: "p" },
        "CiliumClusterwideNetworkPolicy",
      ),
    );
    expect(verdict("ops/probe", "GET /")).toBe("allow");
    expect(verdict("shop/db", "GET /")).toBe("deny");
  });

  it("from outside are told by their addresses, callers of the cluster never", () => {
    const { verdict } = imported(
      policy({ endpointSelector: API, ingress: [{ fromCIDRSet: [{ cidr: "10.0.0.0/8", except: ["10.9.0.0/16"] }] }] }),
    );
    expect(verdict("anonymous", "GET /", { address: "10.1.2.3" })).toBe("allow");
    expect(verdict("anonymous", "GET /", { address: "10.9.2.3" })).toBe("deny");
    expect(verdict("shop/web", "GET /", { address: "10.1.2.3" })).toBe("deny");
  });

  it("are nobody in a rule that names nothing", () => {
    const { verdict } = imported(policy({ endpointSelector: API, ingress: [{}] }));
    expect(verdict("shop/web", "GET /")).toBe("deny");
  });

  it("are everybody in a rule of ports alone", () => {
    const { verdict } = imported(
      policy({ endpointSelector: API, ingress: [{ toPorts: [{ ports: [{ port: "http" }] }] }] }),
    );
    expect(verdict("shop/db", "GET /", { port: 8080 })).toBe("allow");
    expect(verdict("shop/db", "GET /", { port: 8081 })).toBe("deny");
  });
});

describe("what stays open", () => {
  it("is every endpoint that no policy selects for ingress", () => {
    const { replay } = imported(policy({ endpointSelector: API, ingress: [{}] }));
    expect(replay({ from: "shop/web", to: "shop/db", request: "tcp 5432" })).toBe("allow");
  });

  it("is an endpoint whose policy does not enable the default denial", () => {
    const { verdict } = imported(
      policy({ endpointSelector: API, enableDefaultDeny: { ingress: false }, ingress: [{ fromEndpoints: WEB }] }),
    );
    expect(verdict("shop/db", "GET /")).toBe("allow");
  });
});

describe("HTTP rules", () => {
  const http = (...rules: readonly unknown[]): unknown => ({
    fromEndpoints: WEB,
    toPorts: [{ ports: [{ port: "80", protocol: "TCP" }], rules: { http: rules } }],
  });
  const only = (...rules: readonly unknown[]) => imported(policy({ endpointSelector: API, ingress: [http(...rules)] }));

  it("take path and method as whole expressions", () => {
    const { verdict } = only({ method: "GET|HEAD", path: "/v1/.*" }, { method: "POST", path: "/orders/[0-9]+" });
    const at80 = { port: 80 };
    expect(verdict("shop/web", "GET /v1/a", at80)).toBe("allow");
    expect(verdict("shop/web", "HEAD /v1/a", at80)).toBe("allow");
    expect(verdict("shop/web", "POST /v1/a", at80)).toBe("deny");
    expect(verdict("shop/web", "POST /orders/7", at80)).toBe("allow");
    expect(verdict("shop/web", "POST /orders/7x", at80)).toBe("deny");
    expect(verdict("shop/web", "GET /v1/a", { port: 81 })).toBe("deny");
    expect(verdict("shop/web", "tcp 80")).toBe("deny");
  });

  it("ask for headers that are there or have one value, and change others without asking", () => {
    const { verdict } = only({
      headers: ["X-Any", "X-One: 1"],
      headerMatches: [{ name: "X-Log", value: "a", mismatch: "LOG" }],
    });
    expect(verdict("shop/web", "GET /", { port: 80, headers: { "x-any": "z", "x-one": "1" } })).toBe("allow");
    expect(verdict("shop/web", "GET /", { port: 80, headers: { "x-any": "z", "x-one": "2" } })).toBe("deny");
    expect(verdict("shop/web", "GET /", { port: 80, headers: { "x-one": "1" } })).toBe("deny");
  });

  it("are wider where the source compares the query, and the report shows it", () => {
    const { report, replay } = only({ method: "GET", path: "/public" });
    const wider = report.entries.filter(({ fidelity }) => fidelity === "wider");
    expect(wider.map(({ counterExample }) => counterExample?.request)).toEqual(["GET /public?a=/b&c=%20"]);
    for (const { counterExample } of wider)
      expect(counterExample === undefined ? "" : replay({ ...counterExample, port: 80 })).toBe("allow");
  });

  it("are wider where one of their paths is, though another takes any query", () => {
    const { report, replay } = only({ method: "GET", path: "/public(/.*)?" });
    const shown = report.entries.flatMap(({ counterExample }) => counterExample ?? []);
    expect(shown.map(({ request }) => request)).toEqual(["GET /public?a=/b&c=%20"]);
    expect(shown.map(replay)).toEqual(["allow"]);
  });

  it("are wider at whichever endpoint they are of, on however many ports", () => {
    const many = { ports: [{ port: "8000", endPort: 8100 }], rules: { http: [{ method: "GET", path: "/public" }] } };
    const { report, replay } = imported(
      policy({ endpointSelector: { matchLabels: { app: "web" } }, ingress: [{}] }, { name: "q", namespace: "shop" }),
      policy({ endpointSelector: { matchLabels: { app: "db" } }, ingress: [{ toPorts: [many] }] }),
    );
    const shown = report.entries.flatMap(({ counterExample }) => counterExample ?? []);
    expect(shown).toMatchObject([{ to: "shop/db", request: "GET /public?a=/b&c=%20" }]);
    expect(shown.map(replay)).toEqual(["allow"]);
  });

  it("are wider for whichever caller the labels name that another policy does not keep from it", () => {
    const { report } = imported(
      policy({
        endpointSelector: API,
        ingress: [
          {
            fromEndpoints: [{ matchLabels: { "k8s:app": "web", "k8s:io.kubernetes.pod.namespace": "ops" } }],
            toPorts: [{ ports: [{ port: "80" }], rules: { http: [{ host: "api\\.example" }] } }],
          },
        ],
      }),
    );
    const shown = report.entries.flatMap(({ counterExample }) => counterExample ?? []);
    expect(shown).toMatchObject([{ from: "ops/probe", to: "shop/api", host: "api.example:8080" }]);
  });

  it.each(["/public.*", "/public/.*", "/public(\\?.*)?"])("are not wider where %s takes any query", (path) => {
    expect(only({ method: "GET", path }).report.summary.wider).toBe(0);
  });

  it("let nobody in where an expression cannot be said", () => {
    const { verdict, report } = only({ path: "/(a|b)+" });
    expect(verdict("shop/web", "GET /a", { port: 80 })).toBe("deny");
    expect(
      report.entries.some(({ fidelity, construct }) => fidelity === "unsupported" && construct.endsWith("path")),
    ).toBe(true);
  });

  it("restrict nothing on a port that another allow opens without them", () => {
    const open = policy(
      { endpointSelector: API, ingress: [{ fromEndpoints: WEB, toPorts: [{ ports: [{ port: "80" }] }] }] },
      { name: "q", namespace: "shop" },
    );
    const { verdict } = imported(policy({ endpointSelector: API, ingress: [http({ path: "/a" })] }), open);
    expect(verdict("shop/web", "DELETE /b", { port: 80 })).toBe("allow");
  });
});

describe("what is not carried over", () => {
  it.each([
    [
      "Kafka",
      {
        fromEndpoints: WEB,
        toPorts: [{ ports: [{ port: "9092" }], rules: { kafka: [{ role: "produce", topic: "t" }] } }],
      },
    ],
    ["server names", { fromEndpoints: WEB, toPorts: [{ ports: [{ port: "443" }], serverNames: ["a"] }] }],
    ["required labels", { fromEndpoints: WEB, fromRequires: [{ matchLabels: { app: "web" } }] }],
    ["groups", { fromGroups: [{ aws: {} }] }],
    ["hosts of the cluster", { fromEntities: ["host"] }],
    ["UDP", { fromEndpoints: WEB, toPorts: [{ ports: [{ port: "53", protocol: "UDP" }] }] }],
  ])("lets nobody in and is reported: %s", (_title, rule) => {
    const { verdict, report } = imported(policy({ endpointSelector: API, ingress: [rule] }));
    for (const port of [53, 443, 9092]) expect(verdict("shop/web", "GET /", { port })).toBe("deny");
    expect(report.summary.unsupported).toBeGreaterThan(0);
  });

  it("names destinations out of reach, other kinds and policies of hosts", () => {
    const { report } = imported(
      policy({ endpointSelector: {}, egress: [{}] }),
      policy({ nodeSelector: {}, ingress: [{}] }),
      { kind: "Pod" },
    );
    expect(report.summary.unsupported).toBe(3);
  });
});

describe("denials", () => {
  it("win over every allow, on their ports", () => {
    const { verdict } = imported(
      policy({
        endpointSelector: API,
        ingress: [{ fromEntities: ["cluster"] }],
        ingressDeny: [{ fromEndpoints: WEB, toPorts: [{ ports: [{ port: "80", endPort: 90 }] }] }],
      }),
    );
    expect(verdict("shop/web", "GET /", { port: 85 })).toBe("deny");
    expect(verdict("shop/web", "GET /", { port: 91 })).toBe("allow");
    expect(verdict("shop/db", "GET /", { port: 85 })).toBe("allow");
  });

  it("hit everybody where their callers cannot be named", () => {
    const { verdict, report } = imported(
      policy({
        endpointSelector: API,
        ingress: [{ fromEntities: ["cluster"] }],
        ingressDeny: [{ fromEntities: ["host"] }],
      }),
    );
    expect(verdict("shop/web", "GET /")).toBe("deny");
    expect(report.summary.narrower).toBeGreaterThan(0);
  });
});

describe("egress", () => {
  const egress = (...rules: readonly unknown[]) =>
    imported(
      policy({ endpointSelector: { matchLabels: { app: "web" } }, egress: rules }, { name: "out", namespace: "shop" }),
    );
  const to = (app: string): unknown => ({ matchLabels: { app } });

  it("is denied at the callee where no rule opens it, for the callers that are selected", () => {
    const { replay } = egress({ toEndpoints: [to("api")] });
    expect(replay({ from: "shop/web", to: "shop/api", request: "GET /" })).toBe("allow");
    expect(replay({ from: "shop/web", to: "shop/db", request: "tcp 5432" })).toBe("deny");
    expect(replay({ from: "ops/probe", to: "shop/db", request: "tcp 5432" })).toBe("allow");
  });

  it("leaves request lines open that an HTTP rule names", () => {
    const { replay } = egress({
      toEndpoints: [to("api")],
      toPorts: [{ rules: { http: [{ method: "GET", path: "/v1/.*" }] } }],
    });
    expect(replay({ from: "shop/web", to: "shop/api", request: "GET /v1/a" })).toBe("allow");
    expect(replay({ from: "shop/web", to: "shop/api", request: "POST /v1/a" })).toBe("deny");
  });

  it("stays closed where the callee's ports are not known and a rule opens some of them", () => {
    const { replay } = egress({ toEndpoints: [to("api")], toPorts: [{ ports: [{ port: "80" }] }] });
    expect(replay({ from: "shop/web", to: "shop/api", request: "GET /", port: 80 })).toBe("deny");
  });

  it("is denied by `egressDeny` without closing the rest", () => {
    const { replay } = imported(
      policy({
        endpointSelector: { matchLabels: { app: "web" } },
        enableDefaultDeny: { egress: false },
        egressDeny: [{ toEndpoints: [to("db")] }],
      }),
    );
    expect(replay({ from: "shop/web", to: "shop/db", request: "tcp 5432" })).toBe("deny");
    expect(replay({ from: "shop/web", to: "shop/api", request: "GET /" })).toBe("allow");
  });
});

describe("named ports", () => {
  const named = { toPorts: [{ ports: [{ port: "http", protocol: "TCP" }] }] };

  it("are those of the endpoints that a policy selects, not of others", () => {
    const of = (endpointSelector: unknown) =>
      imported(policy({ endpointSelector, ingress: [{ fromEndpoints: WEB, ...named }] }));
    expect(of(API).verdict("shop/web", "GET /", { port: 8080 })).toBe("allow");
    const { verdict, report } = of({});
    expect(verdict("shop/web", "GET /", { to: "shop/db", port: 8080 })).toBe("deny");
    expect(report.summary.unsupported).toBeGreaterThan(0);
  });

  it("that a denial cannot tell close every port, and the report says so", () => {
    const { verdict, report } = imported(
      policy({ endpointSelector: {}, ingress: [{ fromEndpoints: WEB }], ingressDeny: [named] }),
    );
    expect(verdict("shop/web", "GET /", { port: 9090 })).toBe("deny");
    expect(
      report.entries.some(({ construct, fidelity }) => /: ports$/.test(construct) && fidelity === "narrower"),
    ).toBe(true);
  });
});

describe("what closes an endpoint", () => {
  it.each([
    [{ ingress: [] }, "allow"],
    [{ ingress: [{}] }, "deny"],
    [{ ingressDeny: [{}] }, "deny"],
    [{ egress: [{}] }, "allow"],
  ])("is a rule of ingress, not an empty list: %j", (spec, verdict) => {
    expect(imported(policy({ endpointSelector: API, ...spec })).verdict("shop/web", "GET /")).toBe(verdict);
  });
});
