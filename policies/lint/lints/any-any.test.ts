import { describe, expect, it } from "vitest";
import { allow, found, policy } from "../testing/lint-text.ts";

describe("any-any", () => {
  it("finds a line that lets every caller do everything", () => {
    const [one, ...others] = found("any-any", policy(allow(["ANY /**", "GET /a"], "", "anyone: authenticated")));
    expect(one).toMatchObject({
      severity: "error",
      span: { file: "2.yaml", line: 12 },
      message: expect.stringContaining("`ANY /**`"),
    });
    expect(others).toEqual([]);
  });

  it("takes a line of named callers, of some paths, or under a condition", () => {
    expect(
      found(
        "any-any",
        policy(allow(["ANY /**"])),
        policy(allow(["ANY /a/**"], "", "anyone: authenticated"), undefined, "b"),
        policy(allow(["ANY /**"], "headers: { x-a: b }", "anyone: authenticated"), undefined, "c"),
      ),
    ).toEqual([]);
  });
});
