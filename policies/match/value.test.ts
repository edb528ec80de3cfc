import { describe, expect, it } from "vitest";
import type { Matcher } from "../model/index.ts";
import { optionalMatches, valueMatches } from "./value.ts";

const CASES: readonly (readonly [Matcher, readonly string[], readonly string[]])[] = [
  [{ kind: "equals", value: "ab" }, ["ab"], ["AB", "abc", "a", ""]],
  [{ kind: "in", values: ["a", "b"] }, ["a", "b"], ["ab", ""]],
  [{ kind: "not", value: "a" }, ["A", "", "ab"], ["a"]],
  [{ kind: "notIn", values: ["a", "b"] }, ["ab", ""], ["a", "b"]],
  [{ kind: "prefix", value: "ab" }, ["ab", "abc"], ["xab", "a", "ABc"]],
  [{ kind: "suffix", value: "ab" }, ["ab", "cab"], ["abx", "b"]],
  [{ kind: "contains", value: "ab" }, ["ab", "xaby"], ["a", "axb"]],
  [{ kind: "has", value: "a" }, ["a"], ["ab"]],
  [{ kind: "hasAny", values: ["a", "b"] }, ["b"], ["ab"]],
  [{ kind: "present" }, ["", "a"], []],
  [{ kind: "absent" }, [], ["", "a"]],
];

describe("one value against a matcher", () => {
  it.each(CASES)("%j", (matcher, good, bad) => {
    for (const value of good) expect(valueMatches(matcher, value), value).toBe(true);
    for (const value of bad) expect(valueMatches(matcher, value), value).toBe(false);
  });

  it("that is missing passes `absent` alone", () => {
    for (const [matcher] of CASES) expect(optionalMatches(matcher, undefined)).toBe(matcher.kind === "absent");
  });
});
