import { describe, expect, it } from "vitest";
import { allow, found, policy } from "../testing/lint-text.ts";

describe("overdue-review", () => {
  it("finds a review of yesterday", () => {
    const [one, ...others] = found("overdue-review", policy(allow(["GET /a"], "review: 2026-05-31")));
    expect(one).toMatchObject({ severity: "warning", message: "`reads` was to be looked at again on 2026-05-31" });
    expect(others).toEqual([]);
  });

  it("takes one of today", () => {
    expect(found("overdue-review", policy(allow(["GET /a"], "review: 2026-06-01")))).toEqual([]);
  });
});
