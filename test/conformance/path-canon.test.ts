import { describe, expect, it } from "vitest";
import { type CanonicalPath, canonicalPath, compile, decide } from "../../policies/engine.ts";
import { attributes, buildSet, type RuleInput } from "../../policies/testing/build.ts";
import { rows } from "./rows.ts";

interface CanonicalRow {
  readonly id: string;
  readonly input: { readonly path: string };
  readonly expected:
    | { readonly verdict: "canonical"; readonly path: string; readonly any_of?: readonly string[] }
    | { readonly verdict: "reject"; readonly reason: string };
  readonly already_canonical: boolean;
}
interface MatchRow {
  readonly id: string;
  readonly input: { readonly rules: readonly { type: "exact" | "prefix"; value: string }[]; readonly path: string };
  readonly expected: "match" | "no-match" | "reject";
}
interface AliasRow {
  readonly id: string;
  readonly input: { readonly canonical: string; readonly aliases: readonly string[] };
}

/** A raw target as bytes, one a character, the way it arrives. */
const bytes = (text: string): string => Buffer.from(text, "utf8").toString("latin1");
const decoded = (path: string): string[] => path.slice(1).split("/").map(decodeURIComponent);

describe("path canonicalisation", () => {
  const cases = rows<CanonicalRow>("path-canon/canonicalise.jsonl");

  it.each(cases.map((row) => [row.id, row] as const))("%s", (_id, row) => {
    const got = canonicalPath(bytes(row.input.path));
    if (row.expected.verdict === "reject") expect(got).toEqual({ ok: false, reason: row.expected.reason });
    else if (row.already_canonical || got.ok) expect(segmentsOf(got)).toEqual(decoded(row.expected.path));
  });

  it("is a fixed point: the canonical text of a path reads as the same segments", () => {
    for (const row of cases) {
      const got = canonicalPath(bytes(row.input.path));
      if (got.ok) expect(canonicalPath(got.path)).toEqual(got);
    }
  });
});

function segmentsOf(got: CanonicalPath): readonly string[] | string {
  return got.ok ? got.segments : got.reason;
}

/** An exact rule is a literal line; a segment-prefix rule is the path itself, with a slash, and all below it. */
function requestsOf(rules: MatchRow["input"]["rules"]): readonly string[] {
  if (rules.length === 0) return ["GET /**"];
  return rules.flatMap(({ type, value }) =>
    type === "exact" ? [`GET ${value}`] : [`GET ${value}`, `GET ${value}/**`],
  );
}

function outcome(rule: RuleInput, effect: "allow" | "deny", path: string): string {
  const policy = effect === "allow" ? { allow: [rule] } : { deny: [rule], allow: [{ ...rule, requests: ["GET /**"] }] };
  const set = buildSet({ workloads: { orders: {}, web: {} }, policies: [{ protects: "orders", ...policy }] });
  return decide(compile(set), attributes({ from: "web", path: bytes(path) })).reason;
}

describe("paths against exact and prefix rules", () => {
  it.each(rows<MatchRow>("path-canon/path-match.jsonl").map((row) => [row.id, row] as const))("%s", (_id, row) => {
    const rule = { from: [{ workload: "web" }], requests: requestsOf(row.input.rules) };
    const [allow, deny] = [outcome(rule, "allow", row.input.path), outcome(rule, "deny", row.input.path)];
    if (row.expected === "match") {
      expect(allow === "allowed-by-rule" || allow === "ambiguous-path").toBe(true);
      expect(deny === "denied-by-rule" || deny === "ambiguous-path").toBe(true);
    } else if (row.expected === "reject") expect([allow, deny]).toEqual(["ambiguous-path", "ambiguous-path"]);
    else expect(allow === "no-rule-matched" || allow === "ambiguous-path").toBe(true);
  });
});

describe("spellings of one resource", () => {
  const cases = rows<AliasRow>("path-canon/alias-groups.jsonl");

  it.each(cases.map((row) => [row.id, row] as const))(
    "%s: an alias reads as the canonical path or is refused",
    (_id, row) => {
      const canonical = canonicalPath(row.input.canonical);
      expect(canonical.ok).toBe(true);
      for (const alias of row.input.aliases) {
        const got = canonicalPath(bytes(alias));
        if (got.ok) expect(got, alias).toEqual(canonical);
      }
    },
  );
});
