import { describe, expect, it } from "vitest";
import { parameterMatches } from "../match/parameter.ts";
import { valueMatches } from "../match/value.ts";
import { isCleanHeader, valuesMatch } from "../match/values.ts";
import type { Matcher, ParameterType, PatternSegment } from "../model/index.ts";
import { HEADER_ALPHABET, SEGMENT_ALPHABET } from "./characters.ts";
import { hitMachine, matcherMachine } from "./matcher-machine.ts";
import { parameterMachine } from "./parameter-machine.ts";
import { profilesOf } from "./profiles.ts";
import { EVERY_TEXT } from "./text-machine.ts";

type Parameter = Extract<PatternSegment, { readonly kind: "parameter" }>;

const MATCHERS: readonly Matcher[] = [
  { kind: "equals", value: "ab" },
  { kind: "in", values: ["a", "aba"] },
  { kind: "not", value: "b" },
  { kind: "notIn", values: ["a,b", "b"] },
  { kind: "prefix", value: "ab" },
  { kind: "suffix", value: "aa" },
  { kind: "contains", value: "aba" },
  { kind: "present" },
];

/** Every text of these characters up to a length. */
function texts(characters: string, length: number): readonly string[] {
  if (length === 0) return [""];
  const shorter = texts(characters, length - 1);
  return [...new Set([...shorter, ...shorter.flatMap((text) => [...characters].map((one) => text + one))])];
}

const key = (answers: readonly boolean[]): string => answers.map(Number).join("");

function parameter(type: ParameterType, prefix = "", suffix = ""): Parameter {
  return { kind: "parameter", name: "x", type, prefix, suffix };
}

describe("profilesOf", () => {
  it("holds the answers of every short text to matchers, and each example gives the answers it stands for", () => {
    const { profiles, complete } = profilesOf(MATCHERS.map(matcherMachine), EVERY_TEXT, HEADER_ALPHABET);
    const answers = (text: string): string => key(MATCHERS.map((matcher) => valueMatches(matcher, text)));
    expect(complete).toBe(true);
    for (const { text, accepted } of profiles) expect([text, key(accepted)]).toEqual([text, answers(text)]);
    const known = new Set(profiles.map(({ accepted }) => key(accepted)));
    for (const text of texts("abc,", 6)) expect([text, known.has(answers(text))]).toEqual([text, true]);
  });

  it("holds the answers of every short value to denies, which read between commas", () => {
    const hits = (text: string): string =>
      key(MATCHERS.map((matcher) => valuesMatch("deny", matcher, [text], isCleanHeader)));
    const { profiles } = profilesOf(MATCHERS.map(hitMachine), EVERY_TEXT, HEADER_ALPHABET);
    for (const { text, accepted } of profiles) expect([text, key(accepted)]).toEqual([text, hits(text)]);
    const known = new Set(profiles.map(({ accepted }) => key(accepted)));
    for (const text of texts("ab, ", 6)) expect([text, known.has(hits(text))]).toEqual([text, true]);
  });

  it("reads every type of parameter as matching does, calendar days and leap years included", () => {
    const parameters = (["any", "int", "uuid", "hex", "slug", "date"] as const).flatMap((type) => [
      parameter(type),
      parameter(type, "1-", ""),
      parameter(type, "", "-1"),
    ]);
    const machines = parameters.map(parameterMachine);
    const years = ["0000", "1900", "2000", "2023", "2024", "2100", "2400", "0004", "9999"];
    const days = years.flatMap((year) =>
      ["00", "01", "02", "04", "12", "13"].flatMap((month) =>
        ["00", "01", "28", "29", "30", "31", "32"].map((day) => `${year}-${month}-${day}`),
      ),
    );
    const more = [
      "",
      "a",
      "1".repeat(19),
      "1".repeat(20),
      "5ad7750b-a68b-49c0-a8c0-32776b067703",
      "a-b",
      "a--b",
      "1-1-1",
    ];
    for (const text of [...days, ...more, ...days.map((day) => `1-${day}-1`), ...texts("1-a", 5)]) {
      const states = machines.map((machine) =>
        [...text].reduce((state, one) => machine.step(state, one), machine.start),
      );
      const got = machines.map((machine, at) => machine.accepts(states[at] ?? ""));
      expect([text, key(got)]).toEqual([
        text,
        key(parameters.map((one) => text !== "" && parameterMatches(one, text))),
      ]);
    }
  });

  it("finds a text beside those that are taken, and knows when there is none", () => {
    const digits = "0123456789";
    const machines = [
      parameterMachine(parameter("int")),
      ...[...digits].map((one) => parameterMachine(parameter("int", one))),
    ];
    const { profiles } = profilesOf(machines, EVERY_TEXT, SEGMENT_ALPHABET);
    const single = profiles.find(({ accepted }) => accepted[0] === true && accepted.slice(1).every((each) => !each));
    expect(single?.other(new Set(digits.slice(1)))).toBe("0");
    expect(single?.other(new Set(digits))).toBeUndefined();
    const other = profiles.find(({ accepted }) => accepted.every((each) => !each));
    expect(other?.other(new Set(["", "x", "y"]))).toEqual(expect.any(String));
  });
});
