import { describe, expect, it } from "vitest";
import { allow, found, policy } from "../testing/lint-text.ts";

describe("contradicted-by-deny", () => {
  const deny = (rules: string): string => policy(`  deny: [{ name: closed, ${rules} }]\n`, undefined, "mesh-wide");

  it("notes an allow that a deny of another policy takes a part of, with a request", () => {
    const both = [policy(allow(["GET /a/{x}"])), deny('requests: ["GET /a/secret"]')];
    expect(found("contradicted-by-deny", ...both)).toMatchObject([
      {
        severity: "note",
        span: { line: 12 },
        message: "`GET /a/secret` of `shop/mesh-wide` denies a part of `GET /a/{x}` of `reads`",
        witness: { from: "shop/web", to: "shop/orders", request: "GET /a/secret" },
      },
    ]);
  });

  it("takes a deny of the same policy, and one that does not meet the allow", () => {
    const own = policy(`${allow(["GET /a/{x}"])}  deny: [{ name: closed, requests: ["GET /a/secret"] }]\n`);
    expect(found("contradicted-by-deny", own, deny('requests: ["PUT /a/secret"]'))).toEqual([]);
  });
});
