import { describe, expect, it } from "vitest";
import { pathsOfRegex } from "./regex-paths.ts";

describe("regular expressions as path patterns", () => {
  it.each([
    ["/a/b", ["/a/b"], undefined],
    ["^/a$", ["/a"], undefined],
    ["/a(/.*)?", ["/a/**", "/a"], undefined],
    ["/a.*", ["/a", "/a/**", "/a{x}", "/a{x}/**"], undefined],
    ["/a/.+", ["/a/{x}", "/a/{x}/**"], undefined],
    ["/.*/x", ["/**/x"], undefined],
    [".*", ["/**"], undefined],
    ["/u/[^/]+/[^/]+", ["/u/{x}/{x2}"], undefined],
    ["/v[0-9]+/x", ["/v{x:int}/x"], "long-number"],
    ["/[0-9]{1,19}", ["/{x:int}"], undefined],
    ["/[0-9a-fA-F]+", ["/{x:hex}"], undefined],
    ["/(a|b)/[01]", ["/a/0", "/a/1", "/b/0", "/b/1"], undefined],
    ["/\\w+", ["/{x:hex}"], "other"],
    ["/a\\.b", ["/a.b"], undefined],
  ])("%s is %j", (regex, patterns, shortage) => {
    expect(pathsOfRegex(regex, "whole")).toEqual({ patterns, ...(shortage === undefined ? {} : { shortage }) });
  });

  it.each([
    "/(a|b)+",
    "/a(?=b)",
    "/\\1",
    "(?i)/a",
    "/[0-9]{2,3}",
    "/a$|/b",
    "/a+?",
    "/[",
    "(".repeat(100_000),
    "/a.*b",
    "/[^a]+",
  ])("%s cannot be said", (regex) => {
    expect(pathsOfRegex(regex, "whole")).toBeUndefined();
  });

  it("take the first branch that matches from the left, where the source does", () => {
    expect(pathsOfRegex("/a|/ab", "leftmost-first")).toEqual({ patterns: ["/a"] });
    expect(pathsOfRegex("/ab|/a", "leftmost-first")).toEqual({ patterns: ["/ab", "/a"] });
  });
});
