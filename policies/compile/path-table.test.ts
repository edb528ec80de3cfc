import { describe, expect, it } from "vitest";
import { patternMatches } from "../match/pattern.ts";
import { encodePath } from "../path/encode-path.ts";
import { pathPattern } from "../testing/request-line.ts";
import { PathTable } from "./path-table.ts";

const PARTS = ["a", "b", "", "é", "42"];
const PATTERNS = [
  "/",
  "/a",
  "/a/",
  "/a/b",
  "/{x}",
  "/{x}/b",
  "/{y:int}",
  "/a/{x}/",
  "/**",
  "/a/**",
  "/a/**/b",
  "/**/b",
  "/{x}/**",
  "/a/**/",
  "/%C3%A9",
  "/**/{n:int}",
];

describe("PathTable", () => {
  it("finds exactly the patterns that match one by one, each once", () => {
    for (const effect of ["allow", "deny"] as const) {
      const table = new PathTable<string>(effect);
      for (const pattern of PATTERNS) table.add(pathPattern(pattern), pattern);
      for (const segments of paths()) {
        const found: string[] = [];
        table.find(encodePath(segments), segments, { visit: (pattern) => void found.push(pattern) });
        const expected = PATTERNS.filter((pattern) => patternMatches(effect, pathPattern(pattern), segments));
        expect(found.sort(), `${effect} ${segments.join("/")}`).toEqual(expected.sort());
      }
    }
  });
});

function paths(): readonly (readonly string[])[] {
  const one = PARTS.map((part) => [part]);
  const longer = (shorter: readonly (readonly string[])[]): readonly (readonly string[])[] =>
    shorter.filter((path) => path.at(-1) !== "").flatMap((path) => PARTS.map((part) => [...path, part]));
  const two = longer(one);
  const three = longer(two);
  return [...one, ...two, ...three, ...longer(three)];
}
