import { describe, expect, it } from "vitest";
import { foldPattern, patternMatches } from "../match/pattern.ts";
import type { PathOptions } from "../model/index.ts";
import { canonicalPath } from "../path/canonical-path.ts";
import { pathPattern } from "../testing/request-line.ts";
import { TRUE } from "./dimension.ts";
import { PathDimension } from "./path-dimension.ts";

const STRICT: PathOptions = { caseInsensitive: false, matrixParameters: "reject" };
const LAX: PathOptions = { caseInsensitive: true, matrixParameters: "ignore" };
const PATTERNS = [
  "/a",
  "/a/",
  "/a/{x}",
  "/a/**",
  "/**",
  "/{x:int}/b",
  "/**/b",
  "/a/**/B/",
  "/{x}.json",
  "/",
  "/B",
  "/{x:hex}",
];
const SEGMENTS = ["a", "b", "B", "7", "x.json", "%C3%A9", "a;v=1", ".json"];

/** Every path of some segments, up to three, with and without a slash at its end. */
const PATHS = [
  "",
  ...SEGMENTS,
  ...SEGMENTS.flatMap((one) => SEGMENTS.flatMap((two) => [`${one}/${two}`, `${one}/${two}/b`])),
]
  .flatMap((path) => [`/${path}`, `/${path}/`])
  .filter((path) => !path.includes("//"));

describe.each([
  ["one reading", [STRICT]],
  ["one reading that folds", [LAX]],
  ["two readings", [STRICT, LAX]],
  ["two readings of parameters", [STRICT, { ...STRICT, matrixParameters: "ignore" as const }]],
])("paths under %s", (_, readings: readonly PathOptions[]) => {
  const dimension = new PathDimension(readings);
  const specs = PATTERNS.flatMap((text) =>
    (["allow", "deny"] as const).flatMap((effect) =>
      readings.map((options, reading) => {
        const pattern = options.caseInsensitive ? foldPattern(pathPattern(text)) : pathPattern(text);
        return { effect, pattern, reading, options, key: `${text} ${effect} ${reading}` };
      }),
    ),
  );
  const conditions = specs.map(({ key, effect, pattern, reading }) =>
    dimension.condition(key, { kind: "pattern", effect, pattern, reading }),
  );
  const { cells, exact } = dimension.cells(conditions);
  const answers = (raw: string): string =>
    specs
      .map(({ effect, pattern, options }) => {
        const path = canonicalPath(raw, options);
        return Number(path.ok && patternMatches(effect, pattern, path.segments));
      })
      .join("");

  it("are examples of the patterns that match them", () => {
    expect(exact).toBe(true);
    for (const { part, truths } of cells) {
      if (part.kind !== "path") throw new TypeError("no path");
      const claimed = conditions.map((condition) => Number(truths.get(condition) === TRUE)).join("");
      expect([part.raw, claimed]).toEqual([part.raw, answers(part.raw)]);
    }
  });

  it("leave no combination of patterns out", () => {
    const known = new Set(
      cells.map(({ truths }) => conditions.map((one) => Number(truths.get(one) === TRUE)).join("")),
    );
    // A path that nobody reads is denied whatever the patterns; it is looked at where a condition asks for it.
    const read = PATHS.filter((path) => readings.some((options) => canonicalPath(path, options).ok));
    expect(read.length).toBeGreaterThan(50);
    for (const path of read) expect([path, known.has(answers(path))]).toEqual([path, true]);
  });
});
