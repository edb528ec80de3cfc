import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  joinSpiffeId,
  matchAny,
  matchId,
  matchMemberOf,
  matchOneOf,
  parseSpiffeId,
  parseTrustDomain,
  type SpiffeIdErrorCode,
  type SpiffeIdMatcher,
  tryJoinSpiffeId,
  tryParseSpiffeId,
  tryParseTrustDomain,
} from "../../spiffe/index.ts";

type Validity = { readonly id: string; readonly source: string; readonly note: string } & (
  | { readonly kind: "id"; readonly input: string; readonly expected: Expected }
  | { readonly kind: "trust-domain"; readonly input: string; readonly expected: Expected }
  | { readonly kind: "segments"; readonly input: readonly string[]; readonly expected: Expected }
);
interface Expected {
  readonly valid: boolean;
  readonly error?: string;
  readonly trust_domain?: string;
  readonly path?: string;
}
type MatcherInput = { any: true } | { id: string } | { oneOf: string[] } | { memberOf: string };
interface MatchCase {
  readonly id: string;
  readonly input: { readonly matcher: MatcherInput; readonly id: string };
  readonly expected: "match" | "no-match";
}

/** The vectors' names of errors, one to one with our codes. */
const CODES: ReadonlyMap<string, SpiffeIdErrorCode> = new Map([
  ["empty", "ERR_SPIFFE_EMPTY"],
  ["scheme", "ERR_SPIFFE_SCHEME"],
  ["missing-trust-domain", "ERR_SPIFFE_MISSING_TRUST_DOMAIN"],
  ["bad-trust-domain-char", "ERR_SPIFFE_BAD_TRUST_DOMAIN_CHAR"],
  ["trust-domain-too-long", "ERR_SPIFFE_TRUST_DOMAIN_TOO_LONG"],
  ["empty-segment", "ERR_SPIFFE_EMPTY_SEGMENT"],
  ["dot-segment", "ERR_SPIFFE_DOT_SEGMENT"],
  ["trailing-slash", "ERR_SPIFFE_TRAILING_SLASH"],
  ["bad-path-char", "ERR_SPIFFE_BAD_PATH_CHAR"],
]);

function rows<T>(file: string): T[] {
  const url = new URL(`../vectors/spiffe-id/${file}`, import.meta.url);
  return readFileSync(url, "utf8")
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as T);
}

function outcome(row: Validity): Expected {
  const domain = parseTrustDomain("trustdomain");
  if (row.kind === "trust-domain") {
    const read = tryParseTrustDomain(row.input);
    return read.ok ? { valid: true } : { valid: false, error: read.code };
  }
  const read = row.kind === "id" ? tryParseSpiffeId(row.input) : tryJoinSpiffeId(domain, row.input);
  if (!read.ok) return { valid: false, error: read.code };
  return row.kind === "segments"
    ? { valid: true }
    : { valid: true, trust_domain: read.id.trustDomain, path: read.id.path };
}

function expectation(row: Validity): Expected {
  if (row.expected.error === undefined) return row.expected;
  return { valid: false, error: CODES.get(row.expected.error) ?? `no code for ${row.expected.error}` };
}

function matcherOf(input: MatcherInput): SpiffeIdMatcher {
  if ("any" in input) return matchAny();
  if ("id" in input) return matchId(parseSpiffeId(input.id));
  if ("oneOf" in input) return matchOneOf(input.oneOf.map(parseSpiffeId));
  return matchMemberOf(parseTrustDomain(input.memberOf));
}

describe("SPIFFE ID validity", () => {
  const cases = rows<Validity>("validity.jsonl");

  it("has rows of every kind and every error", () => {
    expect(new Set(cases.map((row) => row.kind))).toEqual(new Set(["id", "trust-domain", "segments"]));
    const errors = cases.flatMap((row) => row.expected.error ?? []);
    expect(new Set(errors)).toEqual(new Set(CODES.keys()));
    expect(cases.length).toBeGreaterThan(400);
  });

  it.each(cases.map((row) => [row.id, row] as const))("%s", (_id, row) => {
    expect(outcome(row)).toEqual(expectation(row));
  });

  it("keeps the text of every valid ID, and joins it from its parts again", () => {
    for (const row of cases) {
      if (row.kind !== "id" || !row.expected.valid) continue;
      const id = parseSpiffeId(row.input);
      expect(id.toString()).toBe(row.input);
      expect(joinSpiffeId(id.trustDomain, id.path.split("/").slice(1)).toString()).toBe(row.input);
    }
  });
});

describe("SPIFFE ID matchers", () => {
  it.each(rows<MatchCase>("match.jsonl").map((row) => [row.id, row] as const))("%s", (_id, row) => {
    const matches = matcherOf(row.input.matcher);
    // An empty text stands for an absent ID. Ours has no absent value, so nothing ever reaches the matcher.
    const read = tryParseSpiffeId(row.input.id);
    expect(read.ok && matches(read.id) ? "match" : "no-match").toBe(row.expected);
  });
});
