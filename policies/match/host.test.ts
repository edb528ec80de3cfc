import { describe, expect, it } from "vitest";
import { canonicalHost } from "./host.ts";

const read = (raw: string): string => {
  const got = canonicalHost(raw);
  return got.ok ? got.host : `refused: ${got.reason}`;
};

describe("canonicalHost", () => {
  it.each([
    ["shop", "shop"],
    ["Shop.Example:8443", "shop.example"],
    ["shop.example.", "shop.example"],
    ["shop.example.:443", "shop.example"],
    ["shop:", "shop"],
    ["10.0.0.1:80", "10.0.0.1"],
    ["[FD00::1]:80", "[fd00::1]"],
    ["a_b", "a_b"],
  ])("reads %s as %s", (raw, expected) => {
    expect(read(raw)).toBe(expected);
  });

  it.each([
    ["", "empty"],
    [".", "empty"],
    [":80", "empty"],
    ["a,b", "comma"],
    ["u@h", "at-sign"],
    ["a b", "space"],
    ["a\tb", "space"],
    ["a:b", "bad-port"],
    ["a:1:2", "bad-port"],
    ["a:123456", "bad-port"],
    ["a..", "bad-character"],
    ["a/b", "bad-character"],
    ["a?b", "bad-character"],
    ["a#b", "bad-character"],
    ["a\\b", "bad-character"],
    ["a%2eb", "bad-character"],
    ["\u00e9", "bad-character"],
    ["a\n", "bad-character"],
    ["[::1", "bad-port"],
    ["a\0", "bad-character"],
  ])("refuses %j as %s", (raw, reason) => {
    expect(read(raw)).toBe(`refused: ${reason}`);
  });
});
