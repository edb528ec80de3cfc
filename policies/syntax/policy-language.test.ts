import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { formatDiagnostics } from "../diagnostics/index.ts";
import { resolve } from "../resolve/resolve.ts";
import { parseDocuments } from "./parse-documents.ts";

const page = readFileSync(new URL("../../docs/policy-language.md", import.meta.url), "utf8");
const examples = [...page.matchAll(/^```yaml\n([\s\S]*?)^```$/gm)].map((match) => match[1] ?? "");

describe("docs/policy-language.md", () => {
  it("has YAML examples that are one set without an error, read in order", () => {
    expect(examples.length).toBeGreaterThan(8);
    const files = examples.map((text, index) => ({ path: `example-${index}.yaml`, text }));
    const { documents, diagnostics } = parseDocuments(files);
    const set = resolve(documents, { diagnostics });
    const errors = set.diagnostics.filter(({ severity }) => severity === "error");
    expect(formatDiagnostics(errors, { files, color: false })).toBe("");
  });

  it("shows a diagnostic as it is printed", () => {
    const [, printed = ""] = /^```text\n(access\.yaml[\s\S]*?)^```$/m.exec(page) ?? [];
    const text = `${"\n".repeat(11)}        requets:\n`;
    const span = { file: "access.yaml", line: 12, column: 9, endLine: 12, endColumn: 16 };
    const finding = {
      severity: "error",
      code: "ERR_POLICY_UNKNOWN_KEY",
      span,
      message: "unknown key `requets`",
      hint: "did you mean `requests`?",
    } as const;
    expect(formatDiagnostics([finding], { files: [{ path: "access.yaml", text }], color: false })).toBe(printed);
  });
});
