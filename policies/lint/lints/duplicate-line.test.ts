import { describe, expect, it } from "vitest";
import { allow, found, policy } from "../testing/lint-text.ts";

describe("duplicate-line", () => {
  it("finds the later of two lines that mean the same", () => {
    const text = policy(allow(["GET|HEAD /a/{x}"]));
    const again = policy(allow(["HEAD|GET /a/{y}"], "", "labels: { app: web }"), undefined, "z");
    expect(found("duplicate-line", text, again)).toMatchObject([
      { span: { file: "3.yaml", line: 12 }, message: "`HEAD|GET /a/{y}` of `reads` says again what `reads` says" },
    ]);
  });

  it("takes the same line for other callers or under another condition", () => {
    expect(
      found(
        "duplicate-line",
        policy(allow(["GET /a"])),
        policy(allow(["GET /a"], "", "workload: batch"), undefined, "b"),
        policy(allow(["PUT /a"], "headers: { x-a: b }"), undefined, "c"),
        policy(allow(["PUT /a"], "headers: { x-a: c }"), undefined, "d"),
      ),
    ).toEqual([]);
  });
});
