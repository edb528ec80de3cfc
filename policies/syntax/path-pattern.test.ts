import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalPath } from "../path/canonical-path.ts";
import { parsePathPattern } from "./path-pattern.ts";
import { parseRequestLine } from "./request-line.ts";

const seed = Math.trunc(Math.random() * 2 ** 31);

describe("path patterns", () => {
  it(`take exactly the canonical spelling of a path without parameters (seed ${seed})`, () => {
    const raw = fc.array(
      fc.oneof(
        fc.constantFrom(..."/aZ9-._~!$&'()+,=:@%;\\? é<".split("")),
        fc.constantFrom("%41", "%C3%A9", "%2F", "%3B", "%25", "%zz", "..", "//", "/./"),
      ),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(
        raw.map((parts) => `/${parts.join("")}`),
        (text) => {
          const canonical = canonicalPath(text);
          const { value } = parsePathPattern(text);
          const right = canonical.ok && canonical.path === text;
          expect(value !== undefined, text).toBe(right);
          if (right)
            expect(value?.segments).toEqual(canonical.segments.map((one) => ({ kind: "literal", value: one })));
        },
      ),
      { seed, numRuns: 2_000 },
    );
  });

  it(`hint at a spelling that is taken (seed ${seed})`, () => {
    fc.assert(
      fc.property(fc.stringMatching(/^(?:[a-z]|%[0-7][0-9A-Fa-f]|%[cC]3%[aA]9){1,6}$/), (segment) => {
        const [finding] = parsePathPattern(`/${segment}`).findings;
        const better = /^write `(.+)`$/.exec(finding?.hint ?? "")?.[1];
        if (finding?.message.endsWith("is not the canonical spelling"))
          expect(parsePathPattern(`/${better}`).value, segment).toBeDefined();
      }),
      { seed, numRuns: 500 },
    );
  });

  it("read each form of segment", () => {
    expect(parsePathPattern("/a/{id}/v{n:int}.json/**/").value?.segments).toEqual([
      { kind: "literal", value: "a" },
      { kind: "parameter", name: "id", type: "any", prefix: "", suffix: "" },
      { kind: "parameter", name: "n", type: "int", prefix: "v", suffix: ".json" },
      { kind: "rest" },
      { kind: "literal", value: "" },
    ]);
  });
});

describe("request lines", () => {
  it.each([
    "GET|HEAD /orders/{id:int}",
    "ANY /x",
    "grpc pkg.v1.Service/Method",
    "grpc Service/*",
    "websocket /live/**",
    "tcp 5432",
    "tcp *",
  ])("keep the text of `%s` as it is", (text) => {
    expect(parseRequestLine(text)).toMatchObject({ value: { text }, findings: [] });
  });

  it(`neither throw nor point outside the text, whatever it is (seed ${seed})`, () => {
    const words = fc.array(
      fc.oneof(
        fc.constantFrom("GET", "grpc", "tcp", " ", "/", "{", "}", ":", "**", "|", "%"),
        fc.string({ maxLength: 4 }),
      ),
      { maxLength: 12 },
    );
    fc.assert(
      fc.property(
        words.map((parts) => parts.join("")),
        (text) => {
          const { value, findings } = parseRequestLine(text);
          if (value === undefined) expect(findings.length).toBeGreaterThan(0);
          for (const { at } of findings) {
            expect(at[0]).toBeGreaterThanOrEqual(0);
            expect(at[0]).toBeLessThanOrEqual(Math.max(0, text.length));
            expect(at[1]).toBeGreaterThan(at[0]);
          }
        },
      ),
      { seed, numRuns: 2_000 },
    );
  });
});
