import { describe, expect, it } from "vitest";
import { allow, found, policy } from "../testing/lint-text.ts";

describe("anyone-caller", () => {
  it("finds rules for every registered workload", () => {
    const [one, ...others] = found("anyone-caller", policy(allow(["GET /a"], "", "spiffe: spiffe://shop.example/**")));
    expect(one).toMatchObject({
      severity: "warning",
      span: { line: 10 },
      message: "`reads` lets every registered workload in",
    });
    expect(others).toEqual([]);
  });

  it("takes named callers, and a rule of which any-any tells already", () => {
    expect(
      found(
        "anyone-caller",
        policy(allow(["GET /a"])),
        policy(allow(["ANY /**"], "", "anyone: authenticated"), undefined, "b"),
        policy(allow(["GET /a"], "", "spiffe: spiffe://shop.example/shop/**"), undefined, "c"),
      ),
    ).toEqual([]);
  });
});
