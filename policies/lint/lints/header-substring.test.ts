import { describe, expect, it } from "vitest";
import { allow, found, policy } from "../testing/lint-text.ts";

describe("header-substring", () => {
  it("finds contains", () => {
    const [one, ...others] = found(
      "header-substring",
      policy(allow(["GET /a"], "headers: { x-role: { contains: admin } }")),
    );
    expect(one).toMatchObject({
      severity: "warning",
      message: "`reads` looks for `admin` anywhere in the header `x-role`",
    });
    expect(others).toEqual([]);
  });

  it("takes whole values and beginnings", () => {
    expect(
      found(
        "header-substring",
        policy(allow(["GET /a"], "headers: { x-role: admin, content-type: { prefix: application/json } }")),
      ),
    ).toEqual([]);
  });
});
