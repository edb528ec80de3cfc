import { describe, expect, it } from "vitest";
import { allow, found, policy } from "../testing/lint-text.ts";

describe("redundant-line", () => {
  it("finds a line that others do everything of, but none alone", () => {
    const text = policy(allow(["GET /a/{x:hex}", "HEAD /a/**", "GET|HEAD /a/{x:hex}"]));
    expect(found("redundant-line", text)).toMatchObject([
      {
        span: { line: 14 },
        message: "other lines together do all that `GET|HEAD /a/{x:hex}` of `reads` does",
        related: [{ span: { line: 12 } }, { span: { line: 13 } }],
      },
    ]);
  });

  it("finds an allow that another and a deny share", () => {
    const text = policy(`${allow(["GET|HEAD /a", "GET /a"])}  deny: [{ name: none, requests: ["HEAD /a"] }]\n`);
    expect(found("redundant-line", text).length + found("shadowed-line", text).length).toBe(1);
  });

  it("takes a line of which one request is its own", () => {
    expect(found("redundant-line", policy(allow(["GET /a/{x:int}", "HEAD /a/**", "GET|HEAD /a/{x:hex}"])))).toEqual([]);
  });
});
