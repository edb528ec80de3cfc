import { describe, expect, it } from "vitest";
import { compile } from "../compile/compile.ts";
import { decide } from "../decide/decide.ts";
import { buildSet, identityOf, NOW, type PolicyInput, type RuleInput } from "../testing/build.ts";
import { requestSpace } from "./request-space.ts";

const ORDERS = identityOf("orders");

function space(allow: readonly RuleInput[], more: Partial<PolicyInput> = {}, isolate: readonly string[] = []) {
  const set = buildSet({
    isolate,
    workloads: { orders: { labels: { env: "prod" } }, web: { labels: { env: "dev" } } },
    policies: [{ name: "p", protects: "orders", allow, ...more }],
  });
  return { set, space: requestSpace(set, { now: NOW }) };
}

const from = [{ workload: "web" }];
const line = (rule: string, text: string): string => `shop/p/${rule}#${text}`;

describe("requestSpace", () => {
  it("knows that a line can be true, with a request of it", () => {
    const { set, space: asked } = space([
      { from, requests: ["GET /orders/{id:int}"], headers: { "x-a": { kind: "suffix", value: "z" } } },
    ]);
    const answer = asked.satisfiable(ORDERS, line("a0", "GET /orders/{id:int}"));
    expect(answer.exact).toBe(true);
    expect(answer.callers.map(({ name }) => name)).toEqual(["shop/web"]);
    if (answer.example === undefined) throw new Error("there is an example");
    expect(decide(compile(set), answer.example)).toMatchObject({
      verdict: "allow",
      line: line("a0", "GET /orders/{id:int}"),
    });
  });

  it.each<[string, RuleInput]>([
    ["its exception is all of it", { from, requests: ["GET /a"], except: { requests: ["ANY /**"] } }],
    ["it has ended", { from, requests: ["GET /a"], notAfter: new Date(NOW.getTime() - 1) }],
    ["an anonymous workload is none", { from: [{ workload: "web", anyone: "anonymous" }], requests: ["GET /a"] }],
    ["its caller is its exception", { from, requests: ["GET /a"], except: { from } }],
    [
      "a GET is no gRPC method's exception, but every POST of that path is",
      { from, requests: ["POST /a/b"], except: { requests: ["grpc a/b"] } },
    ],
  ])("knows that a line is never true: %s", (_, rule) => {
    const { space: asked } = space([rule]);
    expect(asked.satisfiable(ORDERS, line("a0", rule.requests?.[0] ?? ""))).toEqual({
      example: undefined,
      callers: [],
      exact: true,
    });
  });

  it("does not count a line that isolation keeps from every caller", () => {
    const { space: asked } = space([{ from, requests: ["GET /a"] }], {}, ["env"]);
    expect(asked.satisfiable(ORDERS, line("a0", "GET /a")).example).toBeUndefined();
  });

  it("sees that lines cover another together, and no smaller number of them does", () => {
    const rules: readonly RuleInput[] = [
      { from, requests: ["GET|POST /a/{id}"], headers: { "x-a": { kind: "present" } } },
      { from, requests: ["ANY /a/**"], headers: { "x-a": { kind: "prefix", value: "v" } } },
      { from, requests: ["GET /a/{id}"], headers: { "x-a": { kind: "present" } } },
      { from, requests: ["POST /a/{id}"], headers: { "x-a": { kind: "present" } } },
    ];
    const { space: asked } = space(rules);
    const whole = line("a0", "GET|POST /a/{id}");
    const [get, post] = [line("a2", "GET /a/{id}"), line("a3", "POST /a/{id}")];
    expect(asked.covered(ORDERS, whole, [get, post]).example).toBeUndefined();
    expect(asked.covered(ORDERS, whole, [get]).example?.http?.method).toBe("POST");
    expect(asked.covered(ORDERS, whole, [line("a1", "ANY /a/**"), post]).example?.http?.method).toBe("GET");
  });

  it("knows that a deny whose exception is every connection hits none", () => {
    const { space: asked } = space([{ from, requests: ["tcp *"] }], { deny: [{ except: { requests: ["tcp *"] } }] });
    expect(asked.covered(ORDERS, line("a0", "tcp *"), [line("d0", "*")]).example?.tcp).toEqual({});
  });

  it("tells what leaving a line out changes, and that a shadowed one changes nothing", () => {
    const { space: asked } = space([{ from, requests: ["GET /a", "GET /b"] }], {
      deny: [{ requests: ["ANY /a/**"] }, { requests: ["GET /c"] }],
    });
    const answer = (id: string) => asked.absence(ORDERS, [id]);
    expect(answer(line("a0", "GET /a")).narrower.example).toBeUndefined();
    expect(answer(line("a0", "GET /b")).narrower.example?.http?.path).toBe("/b");
    expect(answer(line("d0", "ANY /a/**")).broader.example?.http?.path).toBe("/a");
    expect(answer(line("d1", "GET /c")).broader.example).toBeUndefined();
  });
});
