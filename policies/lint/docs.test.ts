import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { LINT_IDS } from "./lint.ts";
import { lintText, policy } from "./testing/lint-text.ts";

const text = readFileSync(new URL("../../docs/lint.md", import.meta.url), "utf8");

/** The sections by their ids, each with its examples. */
const sections = new Map(
  text
    .split(/^### /m)
    .slice(1)
    .map((section) => [
      /^`([a-z-]+)`/.exec(section)?.[1] ?? section.slice(0, 40),
      { section, examples: [...section.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, example = ""]) => example) },
    ]),
);

/** Findings of an example: whole documents, or the rules of a policy. */
function idsOf(example: string): readonly string[] {
  const whole = example.startsWith("apiVersion:");
  return lintText(whole ? example : policy(example.replace(/^/gm, "  ").trimEnd().concat("\n"))).map(({ id }) => id);
}

describe("docs/lint.md", () => {
  it("has a section for everything that lint can find", () => {
    expect(LINT_IDS.filter((id) => !sections.has(id))).toEqual([]);
    expect(LINT_IDS.length).toBeGreaterThan(30);
  });

  for (const id of LINT_IDS) {
    it(`shows what gives \`${id}\` and what does not`, () => {
      const { examples = [], section = "" } = sections.get(id) ?? {};
      expect(examples).toHaveLength(2);
      expect(idsOf(examples[0] ?? "")).toContain(id);
      expect(idsOf(examples[1] ?? "")).not.toContain(id);
      expect(section).toMatch(/^\*(error|warning|note)\* · .+\n/m);
      expect(section).toMatch(/^Remedy: .+\.$/m);
    });
  }
});
