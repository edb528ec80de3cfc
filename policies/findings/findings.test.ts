import { describe, expect, it } from "vitest";
import type { Span } from "../model/index.ts";
import type { Finding } from "./finding.ts";
import { finding, withUniqueFingerprints } from "./fingerprint.ts";
import { findingsJson } from "./json.ts";
import { suiteOf, toJUnit } from "./junit.ts";
import { toSarif } from "./sarif.ts";
import { suppress } from "./suppression.ts";
import { formatFindings } from "./text.ts";

const span = (line: number, column = 1, endColumn = column + 1, file = "a b.yaml"): Span => ({
  file,
  line,
  column,
  endLine: line,
  endColumn,
});
const draft = (more: Partial<Finding> & { readonly about?: readonly string[] } = {}): Finding =>
  finding({
    id: "any-any",
    severity: "warning",
    span: span(2, 3, 6),
    message: "anyone may do anything",
    reason: "nothing is kept out",
    remedy: "name `callers`",
    about: ["shop/orders/reads"],
    ...more,
  });
const files = [{ path: "a b.yaml", text: "one\n  two\nthree\n" }];

describe("fingerprints", () => {
  it("stay when lines move and differ by id and by what they are about", () => {
    expect(draft({ span: span(9) }).fingerprint).toBe(draft().fingerprint);
    expect(draft({ id: "x" }).fingerprint).not.toBe(draft().fingerprint);
    expect(draft({ about: ["shop/orders", "reads"] }).fingerprint).not.toBe(draft().fingerprint);
    expect(draft().fingerprint).toMatch(/^[0-9a-f]{32}$/);
  });

  it("of two findings about one thing are made different, the same way each time", () => {
    const made = withUniqueFingerprints([draft(), draft(), draft()]).map((one) => one.fingerprint);
    expect(new Set(made).size).toBe(3);
    expect(withUniqueFingerprints([draft(), draft(), draft()]).map((one) => one.fingerprint)).toEqual(made);
  });
});

describe("formatFindings", () => {
  it("prints place, line, caret, why, witness, related and remedy", () => {
    const one = draft({
      witness: { from: "anonymous", to: "shop/orders", request: "GET /" },
      related: [{ span: span(3), message: "and here" }],
    });
    expect(formatFindings([one], { files, color: false })).toBe(
      "a b.yaml:2:3: warning: anyone may do anything [any-any]\n 2 |   two\n   |   ^^^\n" +
        "    why: nothing is kept out\n    witness: anonymous → shop/orders: GET /\n" +
        "    see: a b.yaml:3:1: and here\n    remedy: name `callers`\n",
    );
  });

  it("prints a finding without a place, and colours only when asked to", () => {
    const { span: _, ...one } = draft();
    expect(formatFindings([one], { files, color: false })).toMatch(/^warning: anyone/);
    expect(formatFindings([one], { files, color: true })).toContain("\u001b[33mwarning\u001b[0m");
    expect(formatFindings([], { files, color: true })).toBe("");
  });

  it("lets no character of a finding reach the terminal raw", () => {
    const evil = draft({ message: "\u001b[2J", reason: "\u202e", remedy: "\u0007" });
    const printed = formatFindings([evil], { files, color: false });
    for (const raw of "\u001b\u202e\u0007") expect(printed).not.toContain(raw);
  });
});

describe("suppress", () => {
  const at = (text: string, findings: readonly Finding[], looked?: (id: string) => boolean) => {
    const { findings: standing, suppressed } = suppress(findings, {
      files: [{ path: "a b.yaml", text }],
      ...(looked === undefined ? {} : { looked }),
    });
    return [standing.map(({ id }) => id), suppressed.map((one) => one.suppressedBecause)];
  };

  it("silences a finding on the same line and on the line below, with its reason", () => {
    expect(at("a: 1\nb: 2 # cellwall:ignore any-any edge is public\n", [draft()])).toEqual([[], ["edge is public"]]);
    expect(at("# cellwall:ignore any-any edge is public\nb: 2\n", [draft()])).toEqual([[], ["edge is public"]]);
    expect(at("a: 1\r\nb: 2 # cellwall:ignore any-any edge is public\r\n", [draft()])).toEqual([
      [],
      ["edge is public"],
    ]);
  });

  it("stacks above one line", () => {
    const text = "# cellwall:ignore any-any one\n# cellwall:ignore every-method two\n\nb: 2\n";
    const both = [draft({ span: span(4) }), draft({ id: "every-method", span: span(4) })];
    expect(at(text, both)).toEqual([[], ["one", "two"]]);
  });

  it("silences neither another id nor another line nor another file", () => {
    const text = "a: 1\nb: 2 # cellwall:ignore any-any why\n";
    expect(at(text, [draft({ id: "other" })])[0]).toEqual(["other", "suppression-unused"]);
    expect(at(text, [draft({ span: span(1) })])[0]).toEqual(["any-any", "suppression-unused"]);
    expect(at(text, [draft({ span: span(2, 1, 2, "b.yaml") })])[0]).toEqual(["any-any", "suppression-unused"]);
  });

  it("without a reason silences nothing and is an error", () => {
    expect(at("a: 1\nb: 2 # cellwall:ignore any-any\n", [draft()])[0]).toEqual([
      "any-any",
      "suppression-without-reason",
    ]);
    expect(at("# cellwall:ignore\n", [])[0]).toEqual(["suppression-without-reason"]);
  });

  it("is called unused only where its finding was looked for", () => {
    const text = "a: 1 # cellwall:ignore any-any why\n";
    expect(at(text, [])[0]).toEqual(["suppression-unused"]);
    expect(at(text, [], () => false)[0]).toEqual([]);
  });

  it.each(["guardrail-never", "team-namespace", "test-failed"])("never silences %s", (id) => {
    const text = `a: 1\nb: 2 # cellwall:ignore ${id} please\n`;
    expect(at(text, [draft({ id, severity: "error" })])[0]).toEqual([id, "suppression-refused"]);
  });

  it("reads comments only, not texts that hold the mark", () => {
    const text = 'a: "# cellwall:ignore any-any x"\nb: |\n  # cellwall:ignore any-any y\nc: 1\n';
    expect(at(text, [draft({ span: span(1) }), draft({ span: span(4) })])[0]).toEqual(["any-any", "any-any"]);
    expect(at("\ufeff---\na: 'x' # cellwall:ignore any-any y\n", [draft()])[1]).toEqual(["y"]);
  });
});

describe("findingsJson", () => {
  it("counts by severity and keeps what is suppressed apart", () => {
    const { errors, warnings, notes, suppressed } = findingsJson(
      [draft(), draft({ severity: "error" }), draft({ severity: "note" })],
      [{ ...draft(), suppressedBecause: "x" }],
    );
    expect([errors, warnings, notes, suppressed.length]).toEqual([1, 1, 1, 1]);
  });
});

describe("toSarif", () => {
  const log = JSON.parse(
    JSON.stringify(
      toSarif([draft(), draft({ id: "b", severity: "note", related: [{ span: span(3), message: "m" }] })], {
        version: "1.2.3",
        suppressed: [{ ...draft(), suppressedBecause: "public" }],
        helpUri: "https://docs.example/lint",
        rules: new Map([["any-any", { summary: "Anyone may do anything", help: "Name callers." }]]),
      }),
    ),
  );
  const [run] = log.runs;

  it("is version 2.1.0 with one rule an id, and help for each", () => {
    expect([log.version, log.$schema]).toEqual(["2.1.0", "https://json.schemastore.org/sarif-2.1.0.json"]);
    expect(
      run.tool.driver.rules.map((one: { id: string; name: string; help: { text: string } }) => [
        one.id,
        one.name,
        one.help.text,
      ]),
    ).toEqual([
      ["any-any", "AnyAny", "Name callers."],
      ["b", "B", "nothing is kept out; name `callers`"],
    ]);
    for (const result of run.results) expect(run.tool.driver.rules[result.ruleIndex].id).toBe(result.ruleId);
  });

  it("gives each result level, place in UTF-16 columns, an own fingerprint and what silences it", () => {
    expect(run.columnKind).toBe("utf16CodeUnits");
    expect(run.results[0]).toMatchObject({
      ruleId: "any-any",
      level: "warning",
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: "a%20b.yaml", uriBaseId: "SRCROOT" },
            region: { startLine: 2, startColumn: 3, endLine: 2, endColumn: 6 },
          },
        },
      ],
      partialFingerprints: { "cellwall/v1": draft().fingerprint },
    });
    const prints = run.results.map(
      (one: { partialFingerprints: Record<string, string> }) => one.partialFingerprints["cellwall/v1"],
    );
    expect(new Set(prints).size).toBe(3);
    expect(run.results[2].suppressions).toEqual([{ kind: "inSource", justification: "public" }]);
  });
});

describe("toJUnit", () => {
  it("fails for errors and warnings, passes for notes and for suites without findings", () => {
    const xml = toJUnit([suiteOf("lint", [draft(), draft({ severity: "note" })]), suiteOf("guardrails", [])]);
    expect(xml).toContain('<testsuites name="cellwall" tests="3" failures="1" errors="0" skipped="0">');
    expect(xml).toContain('<testsuite name="lint" tests="2" failures="1" errors="0" skipped="0">');
    expect(xml).toContain('<testcase name="no findings" classname="guardrails"/>');
    expect(xml).toContain('<failure type="warning: any-any" message="anyone may do anything">why: nothing');
  });

  it("escapes what would end an attribute or an element, and drops what XML forbids", () => {
    const xml = toJUnit([suiteOf('a"b<', [draft({ message: `<&"'\u0000\uffff]]>`, reason: "]]>\u0001" })])]);
    for (const raw of "\u0000\u0001\uffff") expect(xml).not.toContain(raw);
    expect(xml).not.toContain("]]>");
    expect(xml).toContain("&lt;&amp;&quot;");
  });
});
