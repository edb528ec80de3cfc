import { describe, expect, it } from "vitest";
import { canonicalPath, compile, decide } from "../../policies/engine.ts";
import { patternMatches } from "../../policies/match/pattern.ts";
import type { PathPattern, PatternSegment } from "../../policies/model/index.ts";
import { attributes, buildSet } from "../../policies/testing/build.ts";
import { rows } from "./rows.ts";

interface TemplateRow {
  readonly id: string;
  readonly input: { readonly template: string; readonly path: string };
  readonly expected: "match" | "no-match";
  readonly needs_raw_path?: boolean;
}

/** `{*}` is one segment, `{**}` any number: our `{name}` and `**`. */
function patternOf(template: string): PathPattern {
  const segments = template.slice(1).split("/").map(segmentOf);
  return { text: template, segments };
}

function segmentOf(text: string): PatternSegment {
  if (text === "{**}") return { kind: "rest" };
  if (text === "{*}") return { kind: "parameter", name: "any", type: "any", prefix: "", suffix: "" };
  return { kind: "literal", value: text };
}

describe("path templates", () => {
  const cases = rows<TemplateRow>("templates/match.jsonl");

  it.each(cases.map((row) => [row.id, row] as const))("%s", (_id, { input, expected, needs_raw_path }) => {
    const raw = input.path.slice(1).split("/");
    if (needs_raw_path) {
      // Such a path is refused before any rule; the pattern alone still reads it as the table says.
      expect(canonicalPath(input.path).ok).toBe(false);
      expect(patternMatches("allow", patternOf(input.template), raw) ? "match" : "no-match").toBe(expected);
      return;
    }
    const path = canonicalPath(input.path);
    expect(path.ok && patternMatches("allow", patternOf(input.template), path.segments)).toBe(expected === "match");
    expect(decidedBy(input.template, input.path)).toBe(expected === "match" ? "allowed-by-rule" : "no-rule-matched");
  });
});

/** The same through a compiled policy. */
function decidedBy(template: string, path: string): string {
  const request = `GET ${template.replaceAll("{*}", "{any}").replaceAll("{**}", "**")}`;
  const set = buildSet({
    workloads: { orders: {}, web: {} },
    policies: [{ protects: "orders", allow: [{ from: [{ workload: "web" }], requests: [request] }] }],
  });
  return decide(compile(set), attributes({ from: "web", path })).reason;
}
