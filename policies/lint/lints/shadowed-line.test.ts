import { describe, expect, it } from "vitest";
import { allow, found, policy } from "../testing/lint-text.ts";

describe("shadowed-line", () => {
  it("finds a line of which a wider one does everything", () => {
    expect(found("shadowed-line", policy(allow(["GET /a/{x:int}", "GET|HEAD /a/{y}"])))).toMatchObject([
      {
        span: { line: 12 },
        message: "`GET|HEAD /a/{y}` of `reads` does all that `GET /a/{x:int}` of `reads` does",
        related: [{ span: { line: 13 } }],
      },
    ]);
  });

  it("takes lines that only overlap, and a wider one for other callers", () => {
    expect(
      found(
        "shadowed-line",
        policy(allow(["GET /a/{x:hex}", "GET /a/{x:slug}", "GET /{y}/1"])),
        policy(allow(["GET /a/**"], "", "workload: batch"), undefined, "b"),
      ),
    ).toEqual([]);
  });

  it("takes a deny that holds in monitor mode too beside one that does not", () => {
    const denies = (always: string): string =>
      policy(`  deny:
    - { name: wide, requests: ["GET /a/**"] }
    - { name: narrow, requests: ["GET /a/b"]${always} }
`);
    expect(found("shadowed-line", denies(""))).toHaveLength(1);
    expect(found("shadowed-line", denies(", always: true"))).toEqual([]);
  });
});
