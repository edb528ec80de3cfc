import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { parseDocuments, resolve } from "../policies/index.ts";

describe.each([
  ["enrolment", 3],
  ["federation", 3],
])("docs/%s.md", (name, count) => {
  const text = readFileSync(new URL(`../docs/${name}.md`, import.meta.url), "utf8");
  const examples = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].flatMap(([, block = ""]) =>
    block.startsWith("apiVersion") ? [block] : [],
  );

  it("has its examples", () => {
    expect(examples).toHaveLength(count);
  });

  it.each(examples)("gives an example that is read without an error: %#", (example) => {
    const mesh = `apiVersion: cellwall.dev/v1\nkind: Mesh\nmetadata: { name: shop }\nspec: { trustDomain: shop.example, defaultMode: enforce }\n---\n`;
    const whole = example.includes("kind: Mesh") ? example : mesh + example;
    const { documents, diagnostics } = parseDocuments([{ path: `${name}.yaml`, text: whole }]);
    const errors = resolve(documents, { diagnostics }).diagnostics.filter(({ severity }) => severity === "error");
    expect(errors).toEqual([]);
  });
});
