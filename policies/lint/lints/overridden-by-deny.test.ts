import { describe, expect, it } from "vitest";
import { allow, found, policy } from "../testing/lint-text.ts";

describe("overridden-by-deny", () => {
  it("finds an allow of which denies together hit everything", () => {
    const text = policy(`${allow(["GET|PUT /a/{x:int}", "GET /b"])}  deny:
    - { name: closed, requests: ["GET /a/**"] }
    - { name: frozen, requests: ["PUT /**"] }
`);
    expect(found("overridden-by-deny", text)).toMatchObject([
      {
        span: { line: 12 },
        message: "a deny hits every request of `GET|PUT /a/{x:int}` of `reads`",
        related: [
          { message: "denied here: `shop/orders/closed#GET /a/**`" },
          { message: "denied here: `shop/orders/frozen#PUT /**`" },
        ],
      },
    ]);
  });

  it("takes an allow of which something is left", () => {
    const text = policy(`${allow(["GET|PUT /a/{x:int}"])}  deny: [{ name: closed, requests: ["GET /a/**"] }]\n`);
    expect(found("overridden-by-deny", text)).toEqual([]);
  });
});
