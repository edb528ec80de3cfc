import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { RotatingFile } from "./log-file.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cw-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("RotatingFile", () => {
  it("appends to what an earlier run wrote, readable by its owner only", async () => {
    const path = join(folder, "log", "decisions.jsonl");
    await new RotatingFile(path).append("one\n");
    await new RotatingFile(path).append("two\n");
    expect(readFileSync(path, "utf8")).toBe("one\ntwo\n");
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it("sets the file aside before it passes its limit, and keeps a bounded number", async () => {
    const path = join(folder, "d.jsonl");
    const file = new RotatingFile(path, { maxBytes: 10, keep: 2 });
    for (const text of ["aaaa\n", "bbbb\n", "cccc\n", "dddd\n", "eeee\n", "ffff\n", "gggg\n"]) await file.append(text);
    expect(readFileSync(path, "utf8")).toBe("gggg\n");
    expect(readFileSync(`${path}.1`, "utf8")).toBe("eeee\nffff\n");
    expect(readFileSync(`${path}.2`, "utf8")).toBe("cccc\ndddd\n");
    expect(readdirSync(folder)).toHaveLength(3);
  });
});
