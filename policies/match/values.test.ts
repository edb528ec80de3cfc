import { describe, expect, it } from "vitest";
import type { Matcher } from "../model/index.ts";
import { isCleanHeader, isCleanQuery, valuesMatch } from "./values.ts";

const equals: Matcher = { kind: "equals", value: "a" };
const not: Matcher = { kind: "not", value: "a" };
const absent: Matcher = { kind: "absent" };
const present: Matcher = { kind: "present" };
const allow = (matcher: Matcher, values: string[]): boolean => valuesMatch("allow", matcher, values, isCleanHeader);
const deny = (matcher: Matcher, values: string[]): boolean => valuesMatch("deny", matcher, values, isCleanHeader);

describe("values of an allow", () => {
  it("must be there, and all match", () => {
    expect(allow(equals, ["a"])).toBe(true);
    expect(allow(equals, ["a", "a"])).toBe(true);
    expect(allow(equals, ["a", "b"])).toBe(false);
    expect(allow(equals, [])).toBe(false);
    expect(allow(equals, ["a,a"])).toBe(false);
  });

  it("that are absent satisfy `absent` and nothing else, `not` included", () => {
    expect(allow(absent, [])).toBe(true);
    expect(allow(absent, [""])).toBe(false);
    expect(allow(not, [])).toBe(false);
    expect(allow(present, [])).toBe(false);
    expect(allow(present, [""])).toBe(true);
  });

  it("outside visible ASCII, space and tab satisfy nothing", () => {
    expect(allow(not, ["b \t"])).toBe(true);
    for (const bad of ["\u0000", "\n", "\u007f", "\u0080", "\u00ff"]) {
      expect(allow(not, [bad]), JSON.stringify(bad)).toBe(false);
      expect(allow(present, ["b", bad]), JSON.stringify(bad)).toBe(false);
    }
  });
});

describe("values of a deny", () => {
  it("are hit by any one of them, whole or between commas", () => {
    expect(deny(equals, ["b", "a"])).toBe(true);
    expect(deny(equals, ["b, a ,c"])).toBe(true);
    expect(deny(equals, ["ba"])).toBe(false);
    expect(deny(equals, [])).toBe(false);
    expect(deny({ kind: "equals", value: "a,b" }, ["a,b"])).toBe(true);
  });

  it("are hit by any byte outside visible ASCII, but not by a space", () => {
    expect(deny(equals, ["\u00ff"])).toBe(true);
    expect(deny(absent, ["\u00ff"])).toBe(true);
    expect(deny(equals, ["b b"])).toBe(false);
  });

  it("that are absent are hit by `absent` only", () => {
    expect(deny(absent, [])).toBe(true);
    expect(deny(absent, ["b"])).toBe(false);
    expect(deny(not, [])).toBe(false);
  });
});

describe("query values", () => {
  it("may hold any characters but control characters", () => {
    expect(isCleanQuery("Zürich €")).toBe(true);
    for (const bad of ["\u0000", "\n", "\u007f", "\u0085"]) expect(isCleanQuery(bad)).toBe(false);
  });
});
