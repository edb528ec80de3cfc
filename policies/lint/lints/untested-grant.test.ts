import { describe, expect, it } from "vitest";
import { allow, found, policy } from "../testing/lint-text.ts";

describe("untested-grant", () => {
  const test = (request: string): string => `apiVersion: cellwall.dev/v1
kind: PolicyTest
metadata: { name: orders, namespace: shop }
spec:
  to: orders
  cases:
    - { from: web, request: ${request}, expect: allow }
    - { from: web, request: GET /b, expect: deny }
`;

  it("finds lines that no case expects to allow", () => {
    expect(found("untested-grant", policy(allow(["GET /a", "GET /b"])), test("GET /a"))).toMatchObject([
      { severity: "warning", span: { line: 13 }, message: "no test uses `GET /b` of `shop/orders/reads`" },
    ]);
  });

  it("takes a line that a case is about though another decides, and says nothing where there are no tests", () => {
    expect(found("untested-grant", policy(allow(["GET /a", "GET /{x}"])), test("GET /a"))).toEqual([]);
    expect(found("untested-grant", policy(allow(["GET /a"])))).toEqual([]);
  });
});
