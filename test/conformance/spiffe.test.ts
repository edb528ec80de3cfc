import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const ID = /\b(?:ID-\d|X-\d{1,2}|[JBF]-\d|E-\d|W-[a-j]|S-\d\d[a-z]?|D-1|P-3)\b/g;

interface Row {
  readonly id: string;
  readonly level: string;
  readonly keptBy: string;
}

const rows = readFileSync(join(root, "docs", "spiffe-conformance.md"), "utf8")
  .split("\n")
  .flatMap((line): Row[] => {
    const [, id = "", level = "", , keptBy = ""] = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    return /^[A-Z]+-\w+$/.test(id) ? [{ id, level, keptBy }] : [];
  });

/** Every id that the standards' checklist numbers. */
const DEMANDED = [
  ...range("ID-", 7),
  ...range("X-", 12),
  ...range("J-", 9),
  ...range("B-", 6),
  ...range("F-", 8),
  ...range("E-", 6),
  ..."abcdefghij".split("").map((letter) => `W-${letter}`),
];

function range(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}${index + 1}`);
}

function testFiles(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return ["node_modules", "dist", ".git"].includes(entry.name) ? [] : testFiles(path);
    return entry.name.endsWith(".test.ts") ? [relative(root, path)] : [];
  });
}

/** Ids in a file's names of tests and of their rows: `ID: …`, or in brackets behind what it says. */
function namedIn(file: string): ReadonlySet<string> {
  const text = readFileSync(join(root, file), "utf8");
  const quoted = [...text.matchAll(/"([^"\n]*)"|`([^`\n]*)`/g)].map(([, one, other]) => one ?? other ?? "");
  const marks = quoted.flatMap((one) => [/^([^:]*):/.exec(one)?.[1] ?? "", /\(([^()]*)\)$/.exec(one)?.[1] ?? ""]);
  return new Set(marks.flatMap((mark) => (/^[\w-]+(?:, [\w-]+)*$/.test(mark) ? (mark.match(ID) ?? []) : [])));
}

describe("docs/spiffe-conformance.md", () => {
  it("lists every demand of the standards, once", () => {
    const ids = rows.map(({ id }) => id);
    expect(DEMANDED.filter((id) => !ids.includes(id))).toEqual([]);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it.each(rows)("$id is kept by tests that name it", ({ id, level, keptBy }) => {
    if (keptBy.startsWith("not kept: ")) {
      expect(level).not.toBe("M");
      return;
    }
    for (const file of keptBy.split(", ")) {
      expect(existsSync(join(root, file)), file).toBe(true);
      expect([...namedIn(file)], file).toContain(id);
    }
  });

  it("lists every id that a test names", () => {
    const listed = new Set(rows.map(({ id }) => id));
    const named = testFiles(root)
      .filter((file) => file !== "test/conformance/spiffe.test.ts")
      .flatMap((file) => [...namedIn(file)].map((id) => `${id} in ${file}`));
    expect(named.length).toBeGreaterThan(100);
    expect(named.filter((one) => !listed.has(one.split(" ")[0] ?? ""))).toEqual([]);
  });
});
