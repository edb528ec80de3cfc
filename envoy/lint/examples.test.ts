import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { lintConfig, readSource } from "./index.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const page = readFileSync(join(root, "docs", "envoy-lint.md"), "utf8");

it("the page's example prints what the page says", () => {
  const example = /```js\n([\s\S]*?)```/.exec(page)?.[1] ?? "";
  const text: unknown = JSON.parse(/readSource\("envoy\.yaml", (".*")\)/.exec(example)?.[1] ?? "");
  const told = [...example.matchAll(/\/\/ → (.*)/g)].map(([, line]) => line);
  const found = lintConfig(readSource("envoy.yaml", String(text)));
  expect(found.map(({ severity, id, span, fixable }) => `${severity} ${id} ${span?.line} ${fixable}`)).toEqual(told);
});

it("the package has the names that the page imports", () => {
  const { exports }: { exports: Record<string, { default: string }> } = JSON.parse(
    readFileSync(join(root, "package.json"), "utf8"),
  );
  for (const face of ["./envoy", "./envoy/lint", "./envoy/patch"])
    expect(exports[face]?.default).toBe(`./dist/${face.slice(2)}/index.js`);
});
