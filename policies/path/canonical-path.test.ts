import { describe, expect, it } from "vitest";
import type { PathOptions } from "../model/index.ts";
import { canonicalPath, MAX_PATH_BYTES } from "./canonical-path.ts";

const IGNORE: PathOptions = { caseInsensitive: false, matrixParameters: "ignore" };
const FOLD: PathOptions = { caseInsensitive: true, matrixParameters: "reject" };

const read = (raw: string, options?: PathOptions): string => {
  const got = canonicalPath(raw, options);
  return got.ok ? got.path : `refused: ${got.reason}`;
};

describe("canonicalPath", () => {
  it.each([
    ["/", "/"],
    ["/?", "/"],
    ["/a//b?c", "refused: duplicate-slash"],
    ["/a?x=//..", "/a"],
    ["/a/", "/a/"],
    ["/%7Ea%2d", "/~a-"],
    ["/%e2%82%AC", "/%E2%82%AC"],
    ["/%EF%BB%BFa", "/%EF%BB%BFa"],
    ['/"<>[]^`{|}', "/%22%3C%3E%5B%5D%5E%60%7B%7C%7D"],
    ["/100%25", "/100%25"],
    ["/.../..a/a..", "/.../..a/a.."],
  ])("reads %s as %s", (raw, expected) => {
    expect(read(raw)).toBe(expected);
  });

  it.each([
    ["", "not-absolute"],
    ["*", "not-absolute"],
    ["/a#", "fragment"],
    ["/a?#", "fragment"],
    ["/\0", "nul"],
    ["/a b", "control-or-non-ascii-byte"],
    ["/\u00ff", "control-or-non-ascii-byte"],
    ["/\u0100", "control-or-non-ascii-byte"],
    ["/a\\b", "backslash"],
    ["/%", "bad-escape"],
    ["/%4", "bad-escape"],
    ["/%4g", "bad-escape"],
    ["/%00", "nul"],
    ["/%7f", "encoded-control"],
    ["/%C2%85", "encoded-control"],
    ["/%80", "invalid-utf8"],
    ["/%F4%90%80%80", "invalid-utf8"],
    ["/%2541", "double-encoding"],
    ["/%2%35", "bad-escape"],
    ["/a%2fb", "encoded-slash"],
    ["/a%5Cb", "encoded-backslash"],
    ["/a;b", "path-parameter"],
    ["/a%3Bb", "path-parameter"],
    ["//", "duplicate-slash"],
    ["/.", "dot-segment"],
    ["/a/%2E%2e", "dot-segment"],
  ])("refuses %j as %s", (raw, reason) => {
    expect(canonicalPath(raw)).toEqual({ ok: false, reason });
  });

  it.each([
    ["/a;v=1/b;w", "/a/b"],
    ["/..;x/a", "refused: dot-segment"],
    ["/.;/a", "refused: dot-segment"],
    ["/;x/a", "refused: path-parameter"],
    ["/a/;x", "refused: path-parameter"],
    ["/a%3Bv", "refused: path-parameter"],
    ["/a;%3B", "refused: path-parameter"],
    ["/a;%2F..", "refused: encoded-slash"],
    ["/a;%zz", "refused: bad-escape"],
  ])("with parameters ignored, reads %s as %s", (raw, expected) => {
    expect(read(raw, IGNORE)).toBe(expected);
  });

  it.each([
    ["/Admin/X.JSON", "/admin/x.json"],
    ["/%41dmin", "/admin"],
    ["/%C3%89", "refused: non-ascii"],
    ["/%E2%84%AA", "refused: non-ascii"],
  ])("without regard to case, reads %s as %s", (raw, expected) => {
    expect(read(raw, FOLD)).toBe(expected);
  });

  it("takes 8,192 bytes and no more", () => {
    expect(canonicalPath(`/${"a".repeat(MAX_PATH_BYTES - 1)}`).ok).toBe(true);
    expect(canonicalPath(`/${"a".repeat(MAX_PATH_BYTES)}`)).toEqual({ ok: false, reason: "too-long" });
  });

  it("refuses every byte outside visible ASCII", () => {
    for (let code = 0; code < 256; code++) {
      const isVisible = code > 0x20 && code < 0x7f;
      const got = canonicalPath(`/a${String.fromCharCode(code)}`);
      if (!isVisible) expect(got.ok, String(code)).toBe(false);
    }
  });
});
