import { describe, expect, it } from "vitest";
import {
  attributes,
  buildSet,
  identityOf,
  NOW,
  type RequestInput,
  type RuleInput,
  type SetInput,
} from "../testing/build.ts";
import { canonicalSpelling } from "./canonical-spelling.ts";
import { explain } from "./explain.ts";
import { formatExplanation } from "./format-explanation.ts";

const JSON_TYPE = { "content-type": "application/json" };

function setOf(allow: readonly RuleInput[], more: Partial<SetInput> & { readonly deny?: readonly RuleInput[] } = {}) {
  const { deny, ...rest } = more;
  return buildSet({
    workloads: { orders: {}, web: { labels: { tier: "web" } }, db: { labels: { tier: "data" } } },
    policies: [{ name: "orders", protects: "orders", allow, ...(deny && { deny }) }],
    ...rest,
  });
}

const READS: RuleInput = { name: "reads", from: [{ workload: "web" }], requests: ["GET /orders/{id:int}"] };

/** What is to be done, and what else that would allow. */
function suggested(set: ReturnType<typeof setOf>, request: RequestInput) {
  const { suggestion } = explain(set, attributes({ from: "web", ...request }));
  return (
    suggestion && [
      suggestion.edits.map(({ action, yaml }) => `${action} ${yaml}`),
      suggestion.alsoAllows.map(({ from, request: text }) => `${from} ${text}`),
    ]
  );
}

describe("the smallest edit", () => {
  it.each<[string, RuleInput, RequestInput, string, readonly string[]]>([
    [
      "a method",
      {},
      { path: "/orders/1", method: "PUT" },
      "replace - GET|PUT /orders/{id:int}",
      ["shop/web PUT /orders/7"],
    ],
    ["a line of its own", {}, { path: "/invoices/1" }, "insert - GET /invoices/{id:int}", ["shop/web GET /invoices/7"]],
    ["a literal line", {}, { path: "/orders/latest" }, "insert - GET /orders/latest", []],
    ["a trailing slash", {}, { path: "/orders/1/" }, "insert - GET /orders/1/", []],
    ["a caller", {}, { from: "db", path: "/orders/1" }, "insert - workload: db", ["shop/db GET /orders/7"]],
    [
      "a caller for labels",
      { from: [{ labels: { tier: "web" } }] },
      { from: "db", path: "/orders/1" },
      "insert - workload: db",
      ["shop/db GET /orders/7"],
    ],
    [
      "a host",
      { hosts: ["a.shop"] },
      { path: "/orders/1", host: "b.shop" },
      "set hosts: [a.shop, b.shop]",
      ["shop/web GET /orders/7"],
    ],
    [
      "a header's value",
      { headers: { "x-t": "a" } },
      { path: "/orders/1", headers: { "x-t": "b" } },
      "set headers:\n  x-t: { in: [a, b] }",
      ["shop/web GET /orders/7"],
    ],
    [
      "a query's value",
      { query: { q: "a" } },
      { path: "/orders/1?q=b" },
      "set query:\n  q: { in: [a, b] }",
      ["shop/web GET /orders/7"],
    ],
    ["a port", { ports: [1] }, { path: "/orders/1" }, "set ports: [1, 8443]", ["shop/web GET /orders/7"]],
    [
      "the end of time",
      { notAfter: new Date("2026-01-01") },
      { path: "/orders/1" },
      "set notAfter: 2026-06-01",
      ["shop/web GET /orders/7", "shop/web GET /orders/1"],
    ],
  ])("changes %s", (_name, rule, request, edit, others) => {
    expect(suggested(setOf([{ ...READS, ...rule }]), request)).toEqual([[edit], others]);
  });

  it("crosses isolation", () => {
    const set = setOf([{ ...READS, from: [{ anyone: "authenticated" }] }], {
      isolate: ["env"],
      workloads: { orders: { labels: { env: "prod" } }, web: { labels: { env: "dev" } } },
    });
    const { suggestion, refusal } = explain(set, attributes({ from: "web", path: "/orders/1" }));
    expect(refusal?.message).toContain("`env` (caller has `dev`, destination has `prod`)");
    expect(refusal?.remedy).toContain("`across: [env]`");
    expect(suggestion?.edits.map(({ yaml }) => yaml)).toEqual(["across: [env]"]);
  });

  it("spares a caller of a deny, and goes on to what else is lacking", () => {
    const set = setOf([READS], {
      deny: [{ name: "no", requests: ["ANY /admin/**"], except: { from: [{ workload: "db" }] } }],
    });
    expect(suggested(set, { path: "/admin/x" })).toEqual([["insert - workload: web", "insert - GET /admin/x"], []]);
    const text = formatExplanation(explain(set, attributes({ from: "web", path: "/admin/x" })));
    expect(text).toContain("it spares workload `shop/db`");
  });

  it("is a rule of its own where everything else is more", () => {
    const set = setOf([{ ...READS, headers: JSON_TYPE, hosts: ["a.shop"] }]);
    expect(suggested(set, { from: "db", path: "/x", method: "PUT" })).toEqual([
      ["insert - name: db-put-x\n  from:\n    - workload: db\n  requests:\n    - PUT /x"],
      [],
    ]);
  });

  it("is a policy where nothing protects the destination", () => {
    const [edits] = suggested(setOf([READS]), { to: "db", path: "/x" }) ?? [];
    expect(edits?.[0]).toContain("create apiVersion: cellwall.dev/v1\nkind: AccessPolicy\nmetadata: { name: db");
  });

  it("opens other kinds of requests by a line of their kind", () => {
    const rest = { requests: ["GET /live"] };
    expect(suggested(setOf([{ ...READS, ...rest }]), { path: "/live", upgrade: "websocket" })?.[0]).toEqual([
      "insert - websocket /live",
    ]);
    expect(suggested(setOf([{ ...READS, requests: ["tcp 1"] }]), { tcp: true, port: 5432 })?.[0]).toEqual([
      "insert - tcp 5432",
    ]);
    const grpc = { path: "/a.B/C", method: "POST", headers: { "content-type": "application/grpc" } };
    expect(suggested(setOf([READS]), grpc)?.[0]).toEqual(["insert - grpc a.B/C"]);
  });

  it("does not pass over a condition in silence", () => {
    const [edits, others] =
      suggested(
        setOf([READS, { name: "places", from: [{ workload: "web" }], requests: ["POST /orders"], headers: JSON_TYPE }]),
        { path: "/orders", method: "POST" },
      ) ?? [];
    expect(edits).toEqual(["insert - POST /orders"]);
    expect(others).toEqual(["shop/web POST /orders"]);
    const { instead } = explain(
      setOf([{ name: "places", from: [{ workload: "web" }], requests: ["POST /orders"], headers: JSON_TYPE }]),
      attributes({ from: "web", path: "/orders", method: "POST" }),
    );
    expect(instead).toBe("send the header `content-type` with `application/json`");
  });

  it("is not told where no policy can allow it", () => {
    const set = setOf([{ ...READS, jwt: { provider: "corp" } }]);
    expect(suggested(set, { path: "/orders/%2F" })).toBeUndefined();
    expect(suggested(set, { from: "spiffe://stranger.example/x", path: "/orders/1" })).toBeUndefined();
    expect(suggested(set, { from: identityOf("ghost"), path: "/orders/1" })).toBeUndefined();
  });
});

describe("a refusal before any rule", () => {
  it.each<[RequestInput, string, string]>([
    [{ from: identityOf("ghost") }, "no `Workload` has this identity", "register a `Workload`"],
    [{ from: "spiffe://stranger.example/x" }, "neither the mesh's own nor federated", "federate"],
    [{ from: "spiffe://shop.example/cellwall/authority" }, "belongs to the mesh itself", "a workload's identity"],
    [{ from: "web", to: "nobody" }, "no workload that this set decides about", "register"],
    [{}, "no SPIFFE ID", "sidecar"],
    [{ from: "web", host: "a,b" }, "comma", "one host name"],
    [{ from: "web", path: "/a/../orders//1" }, "dot-segment", "send `/orders/1`"],
    [{ from: "web", path: "/a%2fb" }, "encoded-slash", "without encoded separators"],
  ])("%j is told with its remedy", (request, message, remedy) => {
    const { refusal } = explain(setOf([READS]), attributes(request));
    expect([refusal?.message, refusal?.remedy]).toEqual([
      expect.stringContaining(message === "dot-segment" ? "one way only" : message),
      expect.stringContaining(remedy),
    ]);
  });

  it("tells who is revoked", () => {
    const revocations = { sequence: 1, serials: new Set<string>(), identities: new Set([identityOf("web")]) };
    const { refusal } = explain(setOf([READS]), attributes({ from: "web" }), { revocations });
    expect(refusal?.message).toContain("the identity is revoked");
  });

  it.each([
    ["/a//b", "/a/b"],
    ["/a/./b/../c", "/a/c"],
    ["/a/%2e%2e/b?x=1", "/b?x=1"],
    ["a/b", "/a/b"],
    ["/a b", "/a%20b"],
    ["/100%", "/100%25"],
    ["/a;x=1", undefined],
    ["/a%252fb", undefined],
    ["/a\\b", undefined],
  ])("the accepted spelling of %s is %s", (raw, spelling) => {
    expect(canonicalSpelling(raw, undefined)).toBe(spelling);
  });
});

it("an explanation tells what the candidates say", () => {
  const set = setOf([READS], {
    policies: [
      { name: "orders", protects: "orders", allow: [READS] },
      {
        name: "orders",
        protects: "orders",
        stage: "candidate",
        allow: [{ ...READS, requests: ["GET /v2/orders/{id:int}"] }],
      },
    ],
  });
  const explanation = explain(set, attributes({ from: "web", path: "/orders/1", now: NOW }));
  expect(explanation.candidate).toMatchObject({ verdict: "deny", reason: "no-rule-matched" });
  expect(explanation.candidate?.nearest[0]?.text).toBe("GET /v2/orders/{id:int}");
  expect(formatExplanation(explanation)).toContain("candidate policies: deny: no-rule-matched");
});
