import { describe, expect, it } from "vitest";
import type { JwtCondition, Matcher, TokenState } from "../model/index.ts";
import { attributes, NOW } from "../testing/build.ts";
import { type TokenTruth, tokenMatches } from "./token.ts";

const seconds = NOW.getTime() / 1_000;
const condition = (scopes: string[], claims: Record<string, Matcher> = {}): JwtCondition => ({
  provider: "corp",
  scopes,
  claims: new Map(Object.entries(claims)),
});
const present: Matcher = { kind: "present" };
const has = (value: string): Matcher => ({ kind: "has", value });

function ask(effect: "allow" | "deny", asked: JwtCondition, payload: Record<string, unknown> | undefined): TokenTruth {
  const state: TokenState =
    payload === undefined ? { kind: "absent" } : { kind: "verified", payload: { exp: seconds + 1, ...payload } };
  return tokenMatches(effect, asked, attributes({ more: { claims: new Map([["corp", state]]) } }));
}

describe("token conditions", () => {
  it("are unknown where the provider did not run", () => {
    expect(tokenMatches("allow", condition([]), attributes({}))).toBe("unknown");
    expect(tokenMatches("deny", condition([]), attributes({ more: { claims: new Map() } }))).toBe("unknown");
  });

  it("lack a token where none verified, or it has no `exp`, has expired, or is not valid yet", () => {
    expect(ask("allow", condition([]), undefined)).toBe("no-token");
    for (const exp of [undefined, seconds, seconds - 1, String(seconds + 9), Number.NaN, null]) {
      expect(ask("allow", condition([]), { exp }), String(exp)).toBe("no-token");
    }
    expect(ask("allow", condition([]), { nbf: seconds + 1 })).toBe("no-token");
    expect(ask("allow", condition([]), { nbf: seconds })).toBe(true);
    expect(ask("allow", condition([]), {})).toBe(true);
  });

  it("read `scope` and `scp` as sets of words", () => {
    expect(ask("allow", condition(["a", "b"]), { scope: "b c a" })).toBe(true);
    expect(ask("allow", condition(["a", "b"]), { scope: "a", scp: ["b"] })).toBe(true);
    expect(ask("allow", condition(["a"]), { scope: "ab" })).toBe(false);
    expect(ask("allow", condition([], { scope: has("a") }), { scope: "b a" })).toBe(true);
    expect(ask("deny", condition(["a", "b"]), { scope: "b" })).toBe(true);
    expect(ask("deny", condition(["a", "b"]), { scope: "c" })).toBe(false);
  });

  it("need every member of a list in an allow and any in a deny, but for `has`", () => {
    const equals = condition([], { g: { kind: "equals", value: "x" } });
    expect(ask("allow", equals, { g: ["x", "y"] })).toBe(false);
    expect(ask("allow", equals, { g: ["x"] })).toBe(true);
    expect(ask("allow", equals, { g: [] })).toBe(false);
    expect(ask("deny", equals, { g: ["x", "y"] })).toBe(true);
    expect(ask("allow", condition([], { g: has("x") }), { g: ["x", "y"] })).toBe(true);
    expect(ask("allow", condition([], { g: { kind: "not", value: "x" } }), { g: ["y", "x"] })).toBe(false);
    expect(ask("allow", condition([], { g: { kind: "not", value: "x" } }), {})).toBe(false);
  });

  it("read numbers and booleans as text, and nothing else", () => {
    const is = (value: string): JwtCondition => condition([], { v: { kind: "equals", value } });
    expect(ask("allow", is("true"), { v: true })).toBe(true);
    expect(ask("allow", is("7"), { v: 7 })).toBe(true);
    expect(ask("allow", is("x"), { v: { x: 1 } })).toBe(false);
    expect(ask("allow", condition([], { v: { kind: "present" } }), { v: null })).toBe(false);
    expect(ask("deny", is("x"), { v: { x: 1 } })).toBe(true);
  });

  it("reach into nested claims through dots, own properties only, the whole name first", () => {
    expect(ask("allow", condition([], { "r.a.s": has("x") }), { r: { a: { s: ["x"] } } })).toBe(true);
    expect(ask("allow", condition([], { "r.a": has("x") }), { "r.a": "x", r: { a: "y" } })).toBe(true);
    expect(ask("allow", condition([], { "https://e.x/r": has("x") }), { "https://e.x/r": ["x"] })).toBe(true);
    expect(ask("allow", condition([], { constructor: present }), {})).toBe(false);
    expect(ask("allow", condition([], { "r.length": { kind: "present" } }), { r: ["x"] })).toBe(false);
  });

  it("in a deny match a missing token only where nothing but absence is asked for", () => {
    const absent: Matcher = { kind: "absent" };
    expect(ask("deny", condition([]), undefined)).toBe(false);
    expect(ask("deny", condition([], { a: absent }), undefined)).toBe(true);
    expect(ask("deny", condition(["s"], { a: absent }), undefined)).toBe(false);
    expect(ask("deny", condition([], { a: absent, b: has("x") }), undefined)).toBe(false);
  });
});
