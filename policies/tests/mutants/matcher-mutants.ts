import type { Matcher } from "../../model/index.ts";
import type { MutantOperator } from "./mutant.ts";

/** One change of a matcher. */
export interface MatcherChange {
  readonly operator: MutantOperator;
  readonly text: string;
  readonly edited: Matcher;
}

const negate = (edited: Matcher): MatcherChange => ({ operator: "negate-matcher", text: "negate the test", edited });
const weaken = (text: string, edited: Matcher): MatcherChange => ({ operator: "weaken-matcher", text, edited });
const ANY_VALUE = weaken("take any value", { kind: "present" });

/** The opposite of a matcher, its weaker forms, and those with a value less. */
export function matcherChanges(matcher: Matcher): readonly MatcherChange[] {
  switch (matcher.kind) {
    case "equals":
      return [negate({ kind: "not", value: matcher.value }), ANY_VALUE];
    case "not":
      return [negate({ kind: "equals", value: matcher.value }), ANY_VALUE];
    case "in":
      return [negate({ kind: "notIn", values: matcher.values }), ANY_VALUE, ...fewer("in", matcher.values)];
    case "notIn":
      return [negate({ kind: "in", values: matcher.values }), ANY_VALUE, ...fewer("notIn", matcher.values)];
    case "prefix":
    case "suffix":
    case "contains":
    case "has":
      return [ANY_VALUE];
    case "hasAny":
      return [ANY_VALUE, ...fewer("hasAny", matcher.values)];
    case "present":
      return [negate({ kind: "absent" })];
    case "absent":
      return [negate({ kind: "present" })];
  }
}

function fewer(kind: "in" | "notIn" | "hasAny", values: readonly string[]): readonly MatcherChange[] {
  if (values.length < 2) return [];
  return values.map((value) => ({
    operator: "drop-value",
    text: `drop \`${value}\` from the values`,
    edited: { kind, values: values.filter((one) => one !== value) },
  }));
}
