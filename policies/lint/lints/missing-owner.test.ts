import { describe, expect, it } from "vitest";
import { allow, found, policy } from "../testing/lint-text.ts";

describe("missing-owner", () => {
  it("finds a policy without owner", () => {
    const [one, ...others] = found("missing-owner", policy(allow(["GET /a"]), "protects: { workload: orders }"));
    expect(one).toMatchObject({ severity: "warning", message: "the policy `shop/orders` has no `owner`" });
    expect(others).toEqual([]);
  });

  it("takes one with an owner", () => {
    expect(found("missing-owner", policy(allow(["GET /a"])))).toEqual([]);
  });
});
