import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { chapters } from "../../cli/demo/index.ts";
import { parseDocuments } from "../../policies/index.ts";
import { repositoryPath, runCommand } from "../support/processes.ts";

const readme = readFileSync(repositoryPath("README.md"), "utf8");
const blocks = (language: string): readonly string[] =>
  [...readme.matchAll(/```(\w*)\n([\s\S]*?)```/g)]
    .filter(([, name]) => name === language)
    .map(([, , text]) => text ?? "");

describe("README", () => {
  const folder = mkdtempSync(join(tmpdir(), "cw-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("shows a row of the demo's summary for every step of the scenario", () => {
    const summary = blocks("").find((text) => text.startsWith("Summary")) ?? "";
    const rows = summary.split("\n").filter((line) => /^ {2}(ok|open|FAIL) /.test(line));
    expect(rows.map((row) => row.slice(18, 78).trim())).toEqual(
      chapters.flatMap((chapter) => chapter.steps.map((step) => step.title)),
    );
    expect(rows.filter((row) => row.startsWith("  FAIL"))).toEqual([]);
  });

  it("names policies that parse", () => {
    for (const text of blocks("yaml")) {
      const whole = text.startsWith("kind:") ? `apiVersion: cellwall.dev/v1\n${text}` : text;
      expect(parseDocuments([{ path: "README.md", text: whole }]).diagnostics).toEqual([]);
    }
  });

  it("has commands that do what it says they do", async () => {
    const cellwall = (...args: readonly string[]): ReturnType<typeof runCommand> => runCommand(args, { cwd: folder });
    expect((await cellwall("init")).code).toBe(0);
    expect((await cellwall("check")).code).toBe(0);
    const explained = await cellwall("explain", "--from", "web", "--to", "orders", "DELETE /orders/42");
    const shown = blocks("").find((text) => text.startsWith("deny:")) ?? "no explanation in the README";
    expect(explained.output).toContain(shown.trimEnd());
  });
});
