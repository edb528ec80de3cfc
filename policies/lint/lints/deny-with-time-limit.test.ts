import { describe, expect, it } from "vitest";
import { allow, found, policy } from "../testing/lint-text.ts";

describe("deny-with-time-limit", () => {
  const both = (deny: string): string =>
    policy(`${allow(["GET /a"])}  deny: [{ name: frozen, reason: sale, ${deny} }]\n`);

  it("notes a deny that ends, and one that has yet to begin, while the request is allowed", () => {
    expect(found("deny-with-time-limit", both("notAfter: 2026-12-31"))).toMatchObject([
      {
        severity: "note",
        message: "every request of the deny `frozen` gets through after 2026-12-31T23:59:59.999Z",
        witness: { request: "GET /a", at: "2027-01-01T00:00:00.000Z" },
      },
    ]);
    expect(found("deny-with-time-limit", both("notBefore: 2026-12-31"))).toMatchObject([
      { witness: { at: "2026-06-01T12:00:00.000Z" } },
    ]);
  });

  it("takes a deny of what nothing allows, one without end, and one that is over", () => {
    expect(found("deny-with-time-limit", both('notAfter: 2026-12-31, requests: ["GET /b"]'))).toEqual([]);
    expect(found("deny-with-time-limit", both("notBefore: 2026-01-01"))).toEqual([]);
    expect(found("deny-with-time-limit", both("notAfter: 2026-05-01"))).toEqual([]);
  });
});
