import { describe, expect, it } from "vitest";
import { allow, found, policy } from "../testing/lint-text.ts";

describe("expired-rule", () => {
  it("finds a rule whose time is over", () => {
    const [one, ...others] = found("expired-rule", policy(allow(["GET /a"], "notAfter: 2026-05-31")));
    expect(one).toMatchObject({ severity: "warning", message: "`reads` ended at 2026-05-31T23:59:59.999Z" });
    expect(others).toEqual([]);
  });

  it("takes one that ends later today", () => {
    expect(found("expired-rule", policy(allow(["GET /a"], "notAfter: 2026-06-01")))).toEqual([]);
  });
});
