import { homedir } from "node:os";
import { describe, expect, it } from "vitest";
import { cachedBinary, defaultCacheDir } from "./cache.ts";

describe("defaultCacheDir", () => {
  it.each([
    ["linux", { HOME: "/home/a" }, "/home/a/.cache/cellwall/envoy"],
    ["darwin", { HOME: "/Users/a" }, "/Users/a/Library/Caches/cellwall/envoy"],
    ["linux", { HOME: "/home/a", XDG_CACHE_HOME: "/var/cache/a" }, "/var/cache/a/cellwall/envoy"],
    ["linux", { HOME: "/home/a", XDG_CACHE_HOME: "relative" }, "/home/a/.cache/cellwall/envoy"],
    ["linux", {}, `${homedir()}/.cache/cellwall/envoy`],
  ] as const)("on %s with %j is %s", (platform, env, expected) => {
    expect(defaultCacheDir(env, platform)).toBe(expected);
  });

  it("keeps each release in a folder of its own", () => {
    expect(cachedBinary("/c", { major: 1, minor: 40, patch: 0 })).toBe("/c/1.40.0/envoy");
  });
});
