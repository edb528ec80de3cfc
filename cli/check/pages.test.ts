import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { parseDocuments } from "../../policies/index.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const pages = ["README.md", ...readdirSync(join(root, "docs")).map((name) => join("docs", name))].filter((path) =>
  path.endsWith(".md"),
);

/** The policy documents that a page shows in full; other kinds of YAML, and parts of documents, are left out. */
function documentsOf(page: string): readonly string[] {
  const text = readFileSync(join(root, page), "utf8");
  const blocks = [...text.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, block = ""]) => block);
  return blocks.flatMap((block) => block.split(/^---\n/m)).filter((one) => /^apiVersion: cellwall\.dev\//m.test(one));
}

const withDocuments = pages.filter((page) => documentsOf(page).length > 0);

it("finds the pages that show policies", () => {
  expect(withDocuments).toContain("docs/your-own-envoy.md");
  expect(withDocuments.length).toBeGreaterThan(5);
});

it.each(withDocuments)("%s shows documents of the language", (page) => {
  const files = documentsOf(page).map((text, index) => ({ path: `${page}#${index + 1}`, text }));
  const { diagnostics } = parseDocuments(files);
  expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
});
