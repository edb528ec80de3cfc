import { describe, expect, it } from "vitest";
import { allow, found, policy } from "../testing/lint-text.ts";

describe("expiring-rule", () => {
  it("finds a rule that ends within 14 days", () => {
    const [one, ...others] = found("expiring-rule", policy(allow(["GET /a"], "notAfter: 2026-06-15T12:00:00Z")));
    expect(one).toMatchObject({ severity: "warning", message: "`reads` ends at 2026-06-15T12:00:00.000Z" });
    expect(others).toEqual([]);
  });

  it("takes one that ends a second later, or has ended", () => {
    expect(
      found(
        "expiring-rule",
        policy(allow(["GET /a"], "notAfter: 2026-06-15T12:00:01Z")),
        policy(allow(["GET /a"], "notAfter: 2026-05-31"), undefined, "b"),
      ),
    ).toEqual([]);
  });
});
