import type { Matcher } from "../model/index.ts";
import { printable } from "../printable.ts";
import {
  FAILED,
  type Failed,
  fail,
  flag,
  type Json,
  type Located,
  list,
  mismatch,
  type Reader,
  type Reading,
  text,
} from "./readers.ts";
import type { MapNode, ScalarNode, TreeNode } from "./tree.ts";
import { isLabelValue } from "./values.ts";

/** What a matcher looks at; it decides which tests are legal and which texts can be there at all. */
export type MatcherSubject = "label" | "header" | "query" | "claim";

type OneText = "not" | "prefix" | "suffix" | "contains" | "has";
type ManyTexts = "in" | "notIn" | "hasAny";
type Bare = "present" | "absent";
type Test = OneText | ManyTexts | Bare;

const ONE: readonly OneText[] = ["not", "prefix", "suffix", "contains", "has"];
const MANY: readonly ManyTexts[] = ["in", "notIn", "hasAny"];
const BARE: readonly Bare[] = ["present", "absent"];
const ONLY: Readonly<Partial<Record<Test, MatcherSubject>>> = { contains: "header", has: "claim", hasAny: "claim" };

function testsOf(subject: MatcherSubject): readonly Test[] {
  return [...MANY, ...ONE, ...BARE].filter((test) => ONLY[test] === undefined || ONLY[test] === subject);
}

const anyText = text({ expects: "a text" });

/** Why a text cannot be what is compared with, or undefined. */
function refuseText(
  subject: MatcherSubject,
  test: Test | "equals",
  value: string,
): readonly [message: string, hint: string] | undefined {
  const partial = test === "prefix" || test === "suffix" || test === "contains";
  if (value === "" && (partial || test === "has" || test === "hasAny"))
    return ["an empty text here holds for everything", "say `present: true` for any value"];
  if (subject === "label" && !partial && !isLabelValue(value))
    return [`no label has the value \`${printable(value, 60)}\``, "1 to 63 letters, digits, `-`, `_` and `.`"];
  if (subject !== "header") return undefined;
  if (!/^[\x20-\x7e\t]*$/.test(value))
    return ["a header's value outside visible ASCII never satisfies a rule", "write visible ASCII, space and tab only"];
  const [starts, ends] = [test !== "suffix" && test !== "contains", test !== "prefix" && test !== "contains"];
  if ((starts && /^[ \t]/.test(value)) || (ends && /[ \t]$/.test(value)))
    return ["header values arrive without blanks around them", "remove the blanks"];
  return undefined;
}

function oneText(subject: MatcherSubject, test: Test | "equals", node: TreeNode, reading: Reading): string | Failed {
  const read = anyText.read(node, reading);
  if (read === FAILED) return FAILED;
  const refused = refuseText(subject, test, read.text);
  return refused === undefined ? read.text : fail(reading, "ERR_POLICY_MATCHER", read.span, refused[0], refused[1]);
}

function manyTexts(
  subject: MatcherSubject,
  test: ManyTexts,
  node: TreeNode,
  reading: Reading,
): readonly string[] | Failed {
  const seen = new Set<string>();
  const item: Reader<string> = {
    schema: anyText.schema,
    expects: "a text",
    read(one, inner) {
      const value = oneText(subject, test, one, inner);
      if (value === FAILED) return FAILED;
      if (seen.has(value))
        return fail(
          inner,
          "ERR_POLICY_MATCHER",
          one.span,
          `\`${printable(value, 60)}\` is here a second time`,
          "remove it",
        );
      seen.add(value);
      return value;
    },
  };
  const read = list(item).read(node, reading);
  return read === FAILED ? FAILED : read.value;
}

function fromMap(subject: MatcherSubject, node: MapNode, reading: Reading): Matcher | Failed {
  const known = testsOf(subject);
  const names = known.map((test) => `\`${test}\``).join(", ");
  const [entry, second] = node.entries;
  if (entry === undefined) return fail(reading, "ERR_POLICY_EMPTY", node.span, "an empty test", `one of ${names}`);
  if (second !== undefined)
    return fail(
      reading,
      "ERR_POLICY_MATCHER",
      second.key.span,
      "one test a value: there are several here",
      "write a rule for each, or one test that says it all",
    );
  const test = known.find((one) => one === entry.key.text);
  if (test === undefined) return unknownTest(subject, entry.key, names, reading);
  return build(subject, test, entry.value, reading);
}

function unknownTest(subject: MatcherSubject, key: ScalarNode, names: string, reading: Reading): Failed {
  const given = [...MANY, ...ONE, ...BARE].find((one) => one === key.text);
  const only = given === undefined ? undefined : ONLY[given];
  const message =
    only === undefined
      ? `\`${printable(key.text, 60)}\` is not a test`
      : `\`${key.text}\` is for ${only}s only, and this is a ${subject === "query" ? "query parameter" : subject}`;
  return fail(reading, "ERR_POLICY_MATCHER", key.span, message, `one of ${names}`);
}

function build(subject: MatcherSubject, test: Test, node: TreeNode, reading: Reading): Matcher | Failed {
  switch (test) {
    case "in":
    case "notIn":
    case "hasAny": {
      const values = manyTexts(subject, test, node, reading);
      return values === FAILED ? FAILED : { kind: test, values };
    }
    case "not":
    case "prefix":
    case "suffix":
    case "contains":
    case "has": {
      const value = oneText(subject, test, node, reading);
      return value === FAILED ? FAILED : { kind: test, value };
    }
    case "present":
    case "absent":
      return bare(test, node, reading);
  }
}

function bare(test: Bare, node: TreeNode, reading: Reading): Matcher | Failed {
  if (node.kind === "scalar" && node.style === "plain" && node.text === "false")
    return fail(
      reading,
      "ERR_POLICY_MATCHER",
      node.span,
      `\`${test}: false\` is not a test`,
      `write \`${test === "present" ? "absent" : "present"}: true\``,
    );
  return flag(true).read(node, reading) === FAILED ? FAILED : { kind: test };
}

function schemaOf(subject: MatcherSubject): { readonly [key: string]: Json } {
  const tests = testsOf(subject);
  const texts = { type: "array", minItems: 1, items: { type: "string" } };
  const of = (test: Test): Json =>
    BARE.some((one) => one === test) ? { const: true } : MANY.some((one) => one === test) ? texts : { type: "string" };
  const properties = Object.fromEntries(tests.map((test) => [test, of(test)]));
  return {
    anyOf: [
      { type: "string" },
      { type: "object", additionalProperties: false, minProperties: 1, maxProperties: 1, properties },
    ],
  };
}

/** One test of the matcher grammar (docs/policy-language.md, "Matchers"): a text, or a map of exactly one test. */
export function matcher(subject: MatcherSubject): Reader<Located<Matcher>> {
  const expects = "a text or a test";
  return {
    schema: schemaOf(subject),
    expects,
    read(node, reading) {
      if (node.kind === "list") return mismatch(reading, node, expects, "write `{ in: [a, b] }` for one of several");
      if (node.kind === "broken") return FAILED;
      if (node.kind === "map") {
        const read = fromMap(subject, node, reading);
        return read === FAILED ? FAILED : { value: read, span: node.span };
      }
      const value = oneText(subject, "equals", node, reading);
      return value === FAILED ? FAILED : { value: { kind: "equals", value }, span: node.span };
    },
  };
}
