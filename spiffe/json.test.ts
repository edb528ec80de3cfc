import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type JsonValue, tryParseJson } from "./json.ts";

/** A value as `JSON.parse` gives it. */
function plain(value: JsonValue): unknown {
  if (value === null || typeof value !== "object") return value;
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, item]) => [key, plain(item)]));
  if ("kind" in value) return JSON.parse(value.text);
  return [...(value as readonly JsonValue[])].map(plain);
}
const outcome = (text: string): unknown => {
  const read = tryParseJson(text);
  return read.ok ? { value: plain(read.value) } : read.code;
};
const reference = (text: string): unknown => {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return "ERR_SPIFFE_BUNDLE_JSON";
  }
};

describe("JSON", () => {
  it("reads what JSON.parse reads", () => {
    const value = fc.json({ maxDepth: 8 }).filter((text) => !text.includes("__proto__"));
    fc.assert(
      fc.property(value, fc.constantFrom(undefined, 1, 2), (text, indent) => {
        const spaced = JSON.stringify(JSON.parse(text), null, indent);
        expect(outcome(spaced)).toEqual(reference(spaced));
      }),
      { seed: Date.now() },
    );
  });

  it("refuses what JSON.parse refuses, on texts with one character changed", () => {
    const noise = fc.constantFrom(...'{}[]:,"\\ \t\n0123456789+-.eEtrufalsn\u0000\u00e9');
    fc.assert(
      fc.property(fc.json({ maxDepth: 4 }), fc.nat(), noise, fc.boolean(), (text, position, char, replace) => {
        const at = position % (text.length + 1);
        const changed = text.slice(0, at) + char + text.slice(replace ? at + 1 : at);
        if (outcome(changed) === "ERR_SPIFFE_BUNDLE_DUPLICATE_KEY" || changed.includes("__proto__")) return;
        expect(outcome(changed)).toEqual(reference(changed));
      }),
      { seed: Date.now(), numRuns: 2_000 },
    );
  });

  it("keeps all digits of a number", () => {
    expect(tryParseJson("9007199254740993")).toEqual({ ok: true, value: { kind: "number", text: "9007199254740993" } });
  });

  it("refuses a key that stands twice, however it is spelled, at any depth", () => {
    expect(outcome('[{"a":{"b":1,"\\u0062":2}}]')).toBe("ERR_SPIFFE_BUNDLE_DUPLICATE_KEY");
    expect(outcome('{"__proto__":1,"__proto__":2}')).toBe("ERR_SPIFFE_BUNDLE_DUPLICATE_KEY");
  });

  it("reads long strings and refuses deep nesting without running out of stack", () => {
    const long = JSON.stringify("a\\\n".repeat(1_000_000));
    expect(outcome(long)).toEqual(reference(long));
    expect(outcome("[".repeat(1_000_000))).toBe("ERR_SPIFFE_BUNDLE_JSON");
    expect(outcome(`"${"\\".repeat(1_000_001)}`)).toBe("ERR_SPIFFE_BUNDLE_JSON");
  });
});
