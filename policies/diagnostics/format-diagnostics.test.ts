import { describe, expect, it } from "vitest";
import type { Diagnostic, Span } from "../model/index.ts";
import { columnsOf } from "./columns.ts";
import { formatDiagnostics } from "./format-diagnostics.ts";
import { nearest } from "./nearest.ts";

const at = (line: number, column: number, endColumn: number, endLine = line): Span => ({
  file: "a.yaml",
  line,
  column,
  endLine,
  endColumn,
});
const finding = (span: Span, rest: Partial<Diagnostic> = {}): Diagnostic => ({
  severity: "error",
  code: "ERR_POLICY_VALUE",
  span,
  message: "wrong",
  ...rest,
});
const format = (text: string, one: Diagnostic, color = false): string =>
  formatDiagnostics([one], { files: [{ path: "a.yaml", text }], color });

describe("formatDiagnostics", () => {
  it("prints place, severity, message, code, line, caret and hint", () => {
    expect(format("kind: Mesh\nname: x\n", finding(at(2, 7, 8), { hint: "write `y`" }))).toBe(
      "a.yaml:2:7: error: wrong [ERR_POLICY_VALUE]\n 2 | name: x\n   |       ^\n    hint: write `y`\n",
    );
  });

  it("puts the caret under wide characters and behind tabs", () => {
    expect(format("\t商店: x", finding(at(1, 2, 4)))).toContain(" 1 |     商店: x\n   |     ^^^^\n");
    expect(columnsOf("👩é\u0301\t")).toEqual({ text: "👩é\u0301 ", width: 4 });
  });

  it("marks the first line of a span over several", () => {
    expect(format("ab: c\nd", finding(at(1, 2, 2, 2)))).toContain(" | ab: c\n   |  ^^^^\n");
  });

  it("lets no character of a text or a file's name reach the terminal raw", () => {
    const printed = format(
      "a\u001b]0;x\u0007: \u202e",
      finding({ ...at(1, 1, 2), file: "a.yaml" }, { message: "\u001b[2J", hint: "\u202e" }),
    );
    for (const raw of "\u001b\u0007\u202e") expect(printed).not.toContain(raw);
  });

  it("prints what it knows where the file or the line is not there", () => {
    expect(formatDiagnostics([finding(at(9, 1, 2))], { files: [], color: false })).toBe(
      "a.yaml:9:1: error: wrong [ERR_POLICY_VALUE]\n",
    );
    expect(format("x", finding(at(9, 1, 2)))).toBe("a.yaml:9:1: error: wrong [ERR_POLICY_VALUE]\n");
  });

  it("uses colours only when asked to", () => {
    expect(format("x", finding(at(1, 1, 2)), true)).toContain("\u001b[31merror\u001b[0m");
    expect(format("x", finding(at(1, 1, 2)))).not.toContain("\u001b");
  });
});

describe("nearest", () => {
  it("finds a name with a letter more, less, other or swapped, and none that is far", () => {
    const known = ["requests", "from", "headers"];
    expect(nearest("request", known)).toBe("requests");
    expect(nearest("form", known)).toBe("from");
    expect(nearest("haeders", known)).toBe("headers");
    expect(nearest("spec", known)).toBeUndefined();
    expect(nearest("x".repeat(10_000), known)).toBeUndefined();
  });
});
