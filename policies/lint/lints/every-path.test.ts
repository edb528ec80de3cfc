import { describe, expect, it } from "vitest";
import { allow, found, policy } from "../testing/lint-text.ts";

describe("every-path", () => {
  it("finds /** over everything", () => {
    const [one, ...others] = found("every-path", policy(allow(["GET /**"])));
    expect(one).toMatchObject({ severity: "warning", span: { line: 12 }, message: "`GET /**` covers every path" });
    expect(others).toEqual([]);
  });

  it("takes a prefix, and /** in a deny", () => {
    expect(
      found("every-path", policy(`${allow(["GET /a/**"])}  deny: [{ name: never, requests: ["GET /**"] }]\n`)),
    ).toEqual([]);
  });
});
