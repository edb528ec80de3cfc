import { describe, expect, it } from "vitest";
import { allow, found, policy } from "../testing/lint-text.ts";

describe("evadable-deny", () => {
  const both = (deny: string, more = ""): string =>
    policy(`${allow(["GET /a"], more)}  deny: [{ name: closed, ${deny} }]\n`);

  it("finds a deny that a caller gets past by another header, query, host or address, with a request", () => {
    expect(found("evadable-deny", both('headers: { x-debug: "1" }'))).toMatchObject([
      {
        severity: "warning",
        message: "a caller gets past every request of the deny `closed` by another header `x-debug`",
        witness: { from: "shop/web", request: "GET /a" },
      },
    ]);
    expect(found("evadable-deny", both('requests: ["GET /**"], query: { debug: { present: true } }'))).toHaveLength(1);
    expect(found("evadable-deny", both("hosts: [admin.shop]"))).toHaveLength(1);
    expect(found("evadable-deny", both("from: [{ addresses: [10.0.0.0/8] }]"))).toHaveLength(1);
  });

  it("takes a deny without such conditions, one of what nothing allows, and one that the allow asks the reverse of", () => {
    expect(found("evadable-deny", both('requests: ["GET /b"], headers: { x-debug: "1" }'))).toEqual([]);
    expect(found("evadable-deny", both("from: [{ workload: batch }]"))).toEqual([]);
    const reverse = both('headers: { x-debug: "1" }', 'headers: { x-debug: "1" }');
    expect(found("evadable-deny", reverse)).toEqual([]);
  });
});
