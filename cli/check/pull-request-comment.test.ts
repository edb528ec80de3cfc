import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { useTempFolder } from "../testing/temp-folder.ts";

const SCRIPT = join(import.meta.dirname, "../../scripts/pull-request-comment.mjs");

/** Stands in for the command: answers `check` with a report, and the others with Markdown that names them. */
const COMMAND = `
const [name, ...rest] = process.argv.slice(2);
if (name === "check") {
  process.stdout.write(JSON.stringify({
    errors: 1, warnings: 0, diagnostics: [],
    findings: [{ severity: "error", id: "guardrail-never", span: { file: "a.yaml", line: 3 }, message: "@team \`x\` \\u202e<img>", remedy: "deny it" }],
    passes: { test: { summary: "3 tests passed" } },
  }));
  process.exitCode = 1;
} else process.stdout.write("MARKDOWN OF " + name + " " + rest.join(" "));
`;

describe("pull-request-comment.mjs", () => {
  const folder = useTempFolder();
  const comment = (env: Readonly<Record<string, string>>) => {
    writeFileSync(join(folder(), "command.mjs"), COMMAND);
    return spawnSync(process.execPath, [SCRIPT, "--dry-run"], {
      encoding: "utf8",
      env: {
        PATH: process.env.PATH ?? "",
        CELLWALL_COMMAND: `${process.execPath} ${join(folder(), "command.mjs")}`,
        ...env,
      },
    });
  };

  it("puts findings, tests, diff and simulation into one comment, and ends as the check does", () => {
    const { status, stdout } = comment({ CELLWALL_BASE: "main", CELLWALL_LOG: "d.jsonl" });
    expect(status).toBe(1);
    for (const part of [
      "<!-- cellwall -->\n\n## Cellwall: 1 errors",
      "- test: ` 3 tests passed `",
      "**error** ` guardrail-never ` at ` a.yaml:3 `",
      "MARKDOWN OF diff main:policies policies --output markdown",
      "MARKDOWN OF simulate policies --log d.jsonl --output markdown",
    ])
      expect(stdout).toContain(part);
  });

  it("lets no text of a policy become markup", () => {
    const { stdout } = comment({});
    expect(stdout).toContain("`` @team `x` \\u202e<img> ``");
    expect(stdout).not.toContain("\u202e");
  });

  it("ends with 3 where the command cannot be run", () => {
    const { status, stderr } = comment({ CELLWALL_COMMAND: join(folder(), "nowhere") });
    expect([status, stderr]).toEqual([3, expect.stringContaining("cellwall check failed")]);
  });
});
