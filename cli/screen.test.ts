import { describe, expect, it } from "vitest";
import { processIo, wantsColor } from "./io.ts";
import { age, columns, count, paint } from "./screen.ts";

describe("wantsColor", () => {
  it.each([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: "1" }, false],
    [true, { NO_COLOR: "" }, true],
    [true, { NO_COLOR: "1", FORCE_COLOR: "1" }, false],
    [false, { FORCE_COLOR: "1" }, true],
    [true, { FORCE_COLOR: "0" }, false],
    [true, { TERM: "dumb" }, false],
  ])("on a terminal %s with %j: %s", (isTty, env, expected) => {
    expect(wantsColor(isTty, env)).toBe(expected);
  });

  it("decides for each stream of the process by itself", () => {
    const io = processIo(process, new AbortController().signal);
    expect([io.stdout.color, io.stderr.color]).toEqual([
      wantsColor(process.stdout.isTTY === true, process.env),
      wantsColor(process.stderr.isTTY === true, process.env),
    ]);
  });
});

describe("screen", () => {
  it("paints only where escape sequences are taken", () => {
    expect(paint({ color: false }, "red", "x")).toBe("x");
    expect(paint({ color: true }, "red", "x")).toBe("\u001b[31mx\u001b[39m");
  });

  it("puts rows into columns, without spaces at the end", () => {
    expect(
      columns([
        ["a", "bb", "c"],
        ["aaa", "b", ""],
      ]),
    ).toEqual(["  a    bb  c", "  aaa  b"]);
  });

  it("counts in words", () => {
    expect([count(1, "policy", "policies"), count(2, "policy", "policies"), count(0, "node")]).toEqual([
      "1 policy",
      "2 policies",
      "0 nodes",
    ]);
  });

  it.each([
    [0, "0 s"],
    [119, "119 s"],
    [600, "10 min"],
    [7_200, "2 h"],
    [400_000, "5 d"],
    [-5, "0 s"],
  ])("tells an age of %i s as %s", (seconds, text) => {
    expect(age(new Date(0), new Date(seconds * 1000))).toBe(text);
  });
});
