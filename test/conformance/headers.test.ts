import { describe, expect, it } from "vitest";
import { compile, decide, referenceDecide } from "../../policies/engine.ts";
import type { Matcher } from "../../policies/model/index.ts";
import { attributes, buildSet, type PolicyInput, type RuleInput } from "../../policies/testing/build.ts";
import { rows } from "./rows.ts";

interface HeaderRow {
  readonly id: string;
  readonly input: {
    readonly rule: {
      readonly effect: "allow" | "deny";
      readonly header: string;
      readonly test: "exact" | "prefix" | "suffix" | "contains";
      readonly value: string;
      readonly negated: boolean;
    };
    readonly values: readonly string[];
  };
  readonly expected: "allow" | "deny";
}

const EVERYTHING: RuleInput = { from: [{ workload: "web" }], requests: ["GET /**"] };

/**
 * A header rule as a policy: for `deny` beside an allow of everything. The language negates equality only, so the
 * negation of another test is that test under the other effect: an allow of what has no value with the prefix is a deny
 * of any value with it; a deny of any value without it is an allow of nothing but values with it.
 */
function policyOf(rule: HeaderRow["input"]["rule"]): PolicyInput {
  const { negated, test } = rule;
  if (negated && test !== "exact")
    return ruleOf(rule.effect === "allow" ? "deny" : "allow", rule.header, matcherOf(rule));
  return ruleOf(rule.effect, rule.header, matcherOf(rule));
}

function ruleOf(effect: "allow" | "deny", header: string, matcher: Matcher): PolicyInput {
  const headers = { [header]: matcher };
  if (effect === "allow") return { allow: [{ ...EVERYTHING, headers }] };
  return { deny: [{ headers }], allow: [{ ...EVERYTHING, headers: { [header]: { kind: "present" } } }] };
}

function matcherOf({ test, value, negated }: HeaderRow["input"]["rule"]): Matcher {
  if (test !== "exact") return { kind: test, value };
  return { kind: negated ? "not" : "equals", value };
}

describe("repeated header values", () => {
  const cases = rows<HeaderRow>("headers/repeated-values.jsonl");

  it.each(cases.map((row) => [row.id, row] as const))("%s", (_id, { input, expected }) => {
    const set = buildSet({
      workloads: { orders: {}, web: {} },
      policies: [{ protects: "orders", ...policyOf(input.rule) }],
    });
    const request = attributes({ from: "web", path: "/x", headers: { [input.rule.header]: input.values } });
    expect(decide(compile(set), request).verdict).toBe(expected);
    expect(referenceDecide(set, request).verdict).toBe(expected);
  });
});
