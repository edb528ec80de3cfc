import { describe, expect, it } from "vitest";
import { parseQuery } from "./query.ts";

const read = (target: string): unknown => {
  const query = parseQuery(target);
  return query === "malformed" ? query : [...query];
};

describe("parseQuery", () => {
  it("decodes once, keeps repeats in order, reads `+` as space", () => {
    expect(read("/p?a=1&b=%20x+y&a=2&%61=3")).toEqual([
      ["a", ["1", "2", "3"]],
      ["b", [" x y"]],
    ]);
    expect(read("/p?a=%2541")).toEqual([["a", ["%41"]]]);
    expect(read("/p?a=b=c&d")).toEqual([
      ["a", ["b=c"]],
      ["d", [""]],
    ]);
    expect(read("/p?a=%2B%26")).toEqual([["a", ["+&"]]]);
  });

  it("has no parameters where there is no query", () => {
    for (const target of ["/p", "/p?", "/p?&&"]) expect(read(target)).toEqual([]);
  });

  it.each(["/p?a=%", "/p?a=%4", "/p?a=%zz", "/p?a=%ff", "/p?a;b", "/p?a=\u00e9", "/p?a= ", "/p?\u0100"])(
    "calls %j malformed",
    (target) => {
      expect(read(target)).toBe("malformed");
    },
  );

  it("keeps names of object properties apart", () => {
    expect(read("/p?__proto__=1&constructor=2")).toEqual([
      ["__proto__", ["1"]],
      ["constructor", ["2"]],
    ]);
  });
});
