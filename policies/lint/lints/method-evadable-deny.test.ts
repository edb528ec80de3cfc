import { describe, expect, it } from "vitest";
import { allow, found, policy } from "../testing/lint-text.ts";

describe("method-evadable-deny", () => {
  const both = (deny: string, allowed: string): string =>
    policy(`${allow([allowed])}  deny: [{ name: closed, requests: ["${deny}"] }]\n`);

  it("finds a deny of HEAD beside an allowed GET, and of PUT beside an allowed PATCH", () => {
    expect(found("method-evadable-deny", both("HEAD /a", "GET|HEAD /a"))).toMatchObject([
      {
        message: "by `GET`, which does the same, a caller gets past `HEAD /a` of the deny `closed`",
        witness: { request: "GET /a" },
      },
    ]);
    expect(found("method-evadable-deny", both("PUT /a", "PATCH|PUT /a"))).toHaveLength(1);
  });

  it("takes a deny of GET, which includes HEAD, and one whose twin nothing allows", () => {
    expect(found("method-evadable-deny", both("GET /a", "GET|HEAD /a"))).toEqual([]);
    expect(found("method-evadable-deny", both("PUT /a", "PUT /a"))).toEqual([]);
  });

  it("finds a deny of methods where the sidecar lets the override header through", () => {
    const keeps = `apiVersion: cellwall.dev/v1
kind: Workload
metadata: { name: orders, namespace: shop }
spec: { sidecar: { keepOverrideHeaders: [x-http-method-override] } }
`;
    expect(found("method-evadable-deny", keeps, both("DELETE /a", "GET /a"))).toHaveLength(1);
  });
});
