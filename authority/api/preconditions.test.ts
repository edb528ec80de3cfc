import { describe, expect, it } from "vitest";
import { matchesEtag, preferredWaitSeconds } from "./preconditions.ts";

describe("preferredWaitSeconds", () => {
  it.each([
    ["wait=30", 30],
    ["respond-async, wait=5", 5],
    ["Wait=7; foo=bar", 7],
    ['wait="9"', 9],
    ["wait=999999", 60],
    ["wait=-1", 0],
    ["wait=1e3", 0],
    ["waiting=3", 0],
    [undefined, 0],
  ])("reads %j as %i s", (header, seconds) => {
    expect(preferredWaitSeconds(header, 60)).toBe(seconds);
  });
});

describe("matchesEtag", () => {
  it("compares weakly against each tag of the list", () => {
    expect(matchesEtag('"a", W/"b"', "b")).toBe(true);
    expect(matchesEtag("*", "b")).toBe(true);
    expect(matchesEtag('"a"', "b")).toBe(false);
    expect(matchesEtag("b", "b")).toBe(false);
    expect(matchesEtag(undefined, "b")).toBe(false);
  });
});
