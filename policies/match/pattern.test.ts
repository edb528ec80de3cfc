import { describe, expect, it } from "vitest";
import type { ParameterType } from "../model/index.ts";
import { pathPattern } from "../testing/request-line.ts";
import { typeMatches } from "./parameter.ts";
import { patternMatches } from "./pattern.ts";

const allow = (pattern: string, path: string): boolean => patternMatches("allow", pathPattern(pattern), split(path));
const deny = (pattern: string, path: string): boolean => patternMatches("deny", pathPattern(pattern), split(path));
const split = (path: string): string[] => path.slice(1).split("/");

describe("patterns of an allow", () => {
  it.each([
    ["/static/**", "/static/", true],
    ["/static/**", "/static/a/b", true],
    ["/static/**", "/static", false],
    ["/**", "/", true],
    ["/**", "/a/b/", true],
    ["/a/**/z", "/a/z", false],
    ["/a/**/z", "/a/b/c/z", true],
    ["/a/**/z", "/a/b/z/", false],
    ["/a/**/", "/a/b/", true],
    ["/a/**/", "/a/", false],
    ["/a", "/a/", false],
    ["/a/", "/a", false],
    ["/{id}", "/", false],
    ["/{id}", "/x", true],
    ["/{id}/", "/x/", true],
    ["/r/{id:int}.json", "/r/42.json", true],
    ["/r/{id:int}.json", "/r/.json", false],
    ["/r/{id:int}.json", "/r/4x.json", false],
    ["/r/v{id}v", "/r/vv", false],
    ["/r/v{id}v", "/r/vvv", true],
    ["/a", "/A", false],
  ])("%s on %s: %s", (pattern, path, expected) => {
    expect(allow(pattern, path)).toBe(expected);
  });
});

describe("patterns of a deny", () => {
  it.each([
    ["/a", "/a/", true],
    ["/a/", "/a", true],
    ["/p/**", "/p", true],
    ["/p/**", "/p/", true],
    ["/p/**", "/p/a/b/", true],
    ["/p/**", "/q", false],
    ["/**", "/", true],
    ["/", "/", true],
    ["/", "/a", false],
    ["/a/**/z", "/a/z/", true],
    ["/a/**/", "/a", true],
    ["/{id}", "/", false],
    ["/{id}", "/x/", true],
    ["/a/{id}", "/a/", false],
  ])("%s on %s: %s", (pattern, path, expected) => {
    expect(deny(pattern, path)).toBe(expected);
  });
});

describe("parameter types", () => {
  const cases: readonly (readonly [ParameterType, readonly string[], readonly string[]])[] = [
    ["int", ["0", "007", "1".repeat(19)], ["", "-1", "1".repeat(20), "1a", "١", "1\n"]],
    [
      "uuid",
      ["5ad7750b-a68b-49c0-a8c0-32776b067703", "5AD7750B-A68B-49C0-A8C0-32776B067703"],
      ["5ad7750ba68b49c0a8c032776b067703", "5ad7750b-a68b-49c0-a8c0-32776b06770g"],
    ],
    ["hex", ["0", "dEaD"], ["", "0x1", "g"]],
    ["slug", ["a", "a-b-1"], ["", "-a", "a-", "a--b", "A", "a_b", "ä"]],
    [
      "date",
      ["2024-02-29", "2026-12-31"],
      ["2026-02-29", "2026-13-01", "2026-00-10", "2026-1-1", "2026-04-31", "20260401"],
    ],
    ["any", ["a", "é", " "], [""]],
  ];

  it.each(cases)("%s", (type, good, bad) => {
    for (const text of good) expect(typeMatches(type, text), text).toBe(true);
    for (const text of bad) expect(typeMatches(type, text), text).toBe(false);
  });
});
