import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { CASES } from "../testing/cases.ts";
import { catalogueText } from "../testing/catalogue-text.ts";
import { LINT_IDS, LINT_RULES } from "./index.ts";

const DOC = fileURLToPath(new URL("../../../docs/envoy-lint.md", import.meta.url));
const HEADING = "## Every finding\n\n";

describe("the catalogue", () => {
  it("stands in the documentation, word for word", () => {
    const mended = new Set(Object.entries(CASES).flatMap(([id, one]) => (one.mended ? [id] : [])));
    const doc = readFileSync(DOC, "utf8");
    expect(doc.slice(doc.indexOf(HEADING) + HEADING.length)).toBe(catalogueText(mended));
  });

  it.each(LINT_IDS)("says of %s what it is, why it matters and what to do, without a full stop", (id) => {
    const { title, why, remedy } = LINT_RULES[id];
    expect(id).toMatch(/^[a-z][a-z0-9-]+$/);
    for (const text of [title, why, remedy]) expect(text).toMatch(/[^.\s]$/);
  });
});
