import { describe, expect, it } from "vitest";
import { allow, found, policy } from "../testing/lint-text.ts";

describe("missing-reason", () => {
  it("finds foreign callers without a reason", () => {
    const [one, ...others] = found(
      "missing-reason",
      policy(allow(["GET /a"], "", "spiffe: spiffe://partner.example/billing/**")),
    );
    expect(one).toMatchObject({
      severity: "warning",
      message: "`reads` is for `spiffe://partner.example/billing/**` and does not say why",
    });
    expect(others).toEqual([]);
  });

  it("takes a reason, and own workloads need none", () => {
    expect(
      found(
        "missing-reason",
        policy(allow(["GET /a"], "reason: contract 4711", "spiffe: spiffe://partner.example/billing/**")),
        policy(allow(["GET /a"]), undefined, "b"),
      ),
    ).toEqual([]);
  });
});
