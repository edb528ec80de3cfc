import { describe, expect, it } from "vitest";
import { attributes, buildSet, type RequestInput, type SetInput } from "../testing/build.ts";
import { explain } from "./explain.ts";
import { formatExplanation, lackText } from "./format-explanation.ts";

const SET: SetInput = {
  isolate: ["env"],
  workloads: {
    orders: { labels: { env: "prod" } },
    web: { labels: { env: "prod", tier: "web" } },
    dev: { labels: { env: "dev", tier: "web" } },
    db: { labels: { env: "prod", tier: "db" } },
  },
  policies: [
    {
      name: "orders",
      protects: "orders",
      allow: [
        {
          name: "reads",
          from: [{ labels: { tier: "web" } }],
          requests: ["GET /orders/{id:int}", "GET /orders/{id:int}/items"],
        },
        {
          name: "places",
          from: [{ workload: "web" }],
          requests: ["POST /orders"],
          headers: { "content-type": { kind: "prefix", value: "application/json" } },
          hosts: ["orders.shop"],
        },
      ],
      deny: [{ name: "admin", requests: ["ANY /admin/**"], except: { from: [{ workload: "db" }] } }],
    },
  ],
};

const explained = (request: RequestInput) => explain(buildSet(SET), attributes({ from: "web", ...request }));
/** The nearest line and what it lacks, as text. */
const nearest = (request: RequestInput): readonly string[] => {
  const [first] = explained(request).nearest;
  return first === undefined ? [] : [first.text, ...first.lacks.map(lackText)];
};

describe("explain", () => {
  it("names the line that decides", () => {
    expect(explained({ path: "/orders/1" }).deciding).toMatchObject({
      id: "shop/orders/reads#GET /orders/{id:int}",
      lacks: [],
    });
    expect(explained({ path: "/admin" }).deciding).toMatchObject({ rule: "admin", effect: "deny", lacks: [] });
    expect(explained({ path: "/orders/1" }).nearest).toEqual([]);
  });

  it.each<[string, RequestInput, readonly string[]]>([
    ["method", { path: "/orders/1", method: "PUT" }, ["GET /orders/{id:int}", "method: expected GET; got PUT"]],
    ["segment", { path: "/orders/x" }, ["GET /orders/{id:int}", "path segment 2: expected `{id:int}`; got `x`"]],
    ["missing segment", { path: "/orders/1/" }, ["GET /orders/{id:int}", "trailing slash: expected absent"]],
    [
      "extra segment",
      { path: "/orders/1/items/2" },
      ["GET /orders/{id:int}/items", "path segment 4: expected the end of the path; got `2`"],
    ],
    [
      "label",
      { from: "db", path: "/orders/1" },
      ["GET /orders/{id:int}", "caller's label `tier`: expected `web`; got `db`"],
    ],
    [
      "isolation",
      { from: "dev", path: "/orders/1" },
      [
        "GET /orders/{id:int}",
        "isolation by `env`: caller has `dev`, destination has `prod`; the rule does not say `across: [env]`",
      ],
    ],
    [
      "header",
      { path: "/orders", method: "POST", headers: { "content-type": ["application/json", "text/plain"] } },
      [
        "POST /orders",
        "header `content-type`: expected something that begins with `application/json`; got `application/json`, `text/plain`",
      ],
    ],
    [
      "withheld header",
      { path: "/orders", method: "POST", more: { withheldHeaders: new Set(["content-type"]) } },
      [
        "POST /orders",
        "cannot be told: kind of request: expected http; got http",
        "cannot be told: header `content-type`: expected something that begins with `application/json`; got withheld",
      ],
    ],
    [
      "host",
      { path: "/orders", method: "POST", host: "Other.shop:80", headers: { "content-type": "application/json" } },
      ["POST /orders", "host: expected orders.shop; got Other.shop:80"],
    ],
  ])("tells of the nearest line what it lacks: %s", (_name, request, expected) => {
    expect(nearest(request)).toEqual(expected);
  });

  it("ranks by how much is lacking, and tells as many lines as asked for", () => {
    const asked = attributes({ from: "db", method: "DELETE", path: "/nowhere" });
    const all = explain(buildSet(SET), asked).nearest;
    expect(all.map(({ distance }) => distance)).toEqual(all.map(({ distance }) => distance).sort((a, b) => a - b));
    expect(all).toHaveLength(3);
    expect(explain(buildSet(SET), asked, { nearest: 1 }).nearest).toHaveLength(1);
  });

  it("is readable, with foreign text escaped", () => {
    const text = formatExplanation(explained({ path: "/orders/%E2%80%AEx" }));
    expect(text).toMatch(/^deny: no-rule-matched\n {2}nearest allow lines/);
    expect(text).toContain("shop/orders/reads#GET /orders/{id:int}  test.yaml:1:1");
    expect(text).not.toContain("\u202e");
    const refused = formatExplanation(explained({ path: "/a%2Fb" }));
    expect(refused).toContain("deny: ambiguous-path (encoded-slash)");
  });
});
