import { describe, expect, it } from "vitest";
import { allow, found, policy } from "../testing/lint-text.ts";

describe("case-evadable-deny", () => {
  const both = (allowed: string): string =>
    policy(`${allow([allowed])}  deny: [{ name: closed, requests: ["ANY /admin/**"] }]\n`);

  it("notes a literal that in other letters gets through", () => {
    expect(found("case-evadable-deny", both("GET /{area}/users"))).toMatchObject([
      { severity: "note", witness: { request: "GET /Admin/users" } },
    ]);
  });

  it("takes a workload that folds case, and paths that nothing allows", () => {
    const folds = `apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: orders, namespace: shop }
spec: { paths: { caseInsensitive: true } }
`;
    expect(found("case-evadable-deny", folds, both("GET /{area}/users"))).toEqual([]);
    expect(found("case-evadable-deny", both("GET /orders/users"))).toEqual([]);
  });
});
