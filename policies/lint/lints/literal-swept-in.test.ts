import { describe, expect, it } from "vitest";
import { allow, found, policy } from "../testing/lint-text.ts";

describe("literal-swept-in", () => {
  const mine = policy(allow(["GET /orders/mine"], "", "workload: batch"), undefined, "mine");

  it("finds a parameter that takes in a literal which others were given, with a request", () => {
    expect(found("literal-swept-in", policy(allow(["GET|PUT /orders/{id}"])), mine)).toMatchObject([
      {
        severity: "warning",
        span: { file: "2.yaml", line: 12 },
        message:
          "`GET|PUT /orders/{id}` of `reads` also lets through `GET /orders/mine`, which `shop/mine/reads` gives to others",
        witness: { from: "shop/web", request: "GET /orders/mine" },
      },
    ]);
  });

  it("takes a type that keeps the literal out, another method, an exception and the same callers", () => {
    const clean = (...texts: readonly string[]): void => expect(found("literal-swept-in", ...texts)).toEqual([]);
    clean(policy(allow(["GET /orders/{id:int}"])), mine);
    clean(policy(allow(["PUT /orders/{id}"])), mine);
    clean(policy(allow(["GET /orders/{id}"], "except: { requests: [GET /orders/mine] }")), mine);
    clean(policy(allow(["GET /orders/{id}"], "", "workload: batch")), mine);
  });
});
