import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { unifiedDiff } from "./unified-diff.ts";

const plain = { color: false };

describe("unifiedDiff", () => {
  it("shows what changed with three lines around it", () => {
    const before = "a\nb\nc\nd\ne\nf\ng\nh\n";
    expect(unifiedDiff("x", before, before.replace("e\n", "E\nnew\n"), plain)).toEqual([
      "--- a/x",
      "+++ b/x",
      "@@ -2,7 +2,8 @@",
      " b",
      " c",
      " d",
      "-e",
      "+E",
      "+new",
      " f",
      " g",
      " h",
    ]);
  });

  it("says nothing of equal texts", () => {
    expect(unifiedDiff("x", "a\n", "a\n", plain)).toEqual([]);
  });

  it("makes the one text of the other when it is applied, whatever they are", () => {
    const folder = mkdtempSync(join(tmpdir(), "cellwall-diff-"));
    const text = fc
      .tuple(fc.array(fc.constantFrom("a", "b", "", " c"), { maxLength: 12 }), fc.boolean())
      .map(([lines, ended]) => lines.map((line) => `${line}\n`).join("") + (ended ? "" : "end"));
    try {
      fc.assert(
        fc.property(text, text, (before, after) => {
          const file = join(folder, "x");
          writeFileSync(file, before);
          const diff = unifiedDiff("x", before, after, plain);
          if (diff.length > 0)
            execFileSync("git", ["apply", "--whitespace=nowarn", "-"], { cwd: folder, input: `${diff.join("\n")}\n` });
          expect(readFileSync(file, "utf8")).toBe(after);
        }),
        { numRuns: 25 },
      );
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
