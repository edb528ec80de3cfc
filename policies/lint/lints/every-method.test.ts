import { describe, expect, it } from "vitest";
import { allow, found, policy } from "../testing/lint-text.ts";

describe("every-method", () => {
  it("finds ANY in an allow", () => {
    const [one, ...others] = found("every-method", policy(allow(["ANY /a"])));
    expect(one).toMatchObject({ severity: "warning", span: { line: 12 }, message: "`ANY /a` allows every method" });
    expect(others).toEqual([]);
  });

  it("takes methods by name, and ANY in a deny", () => {
    expect(
      found("every-method", policy(`${allow(["GET|HEAD /a"])}  deny: [{ name: never, requests: ["ANY /a"] }]\n`)),
    ).toEqual([]);
  });
});
