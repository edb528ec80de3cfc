import type { Matcher } from "../../model/index.ts";
import { alternativesOf, literalOf, spelled, type Token, textsOf } from "./regex-tokens.ts";
import { ANY_CHARACTER, includesSet, parseRegex } from "./regex-tree.ts";

/** A test on one value, of a header or query parameter, as the language can ask it. */
export interface ValueTest {
  readonly of: "header" | "query";
  readonly name: string;
  /** Matchers any of which holds exactly where the test does, but for `shortage`. Empty: nothing can be said. */
  readonly holds: readonly Matcher[];
  /** Matchers any of which holds exactly where the test does not; `undefined` where the language cannot say that. */
  readonly fails: readonly Matcher[] | undefined;
  /** `long-value`: of an endless repetition the first lengths only. `other`: `holds` is less than the test. */
  readonly shortage?: "long-value" | "other";
}

const ABSENT: Matcher = { kind: "absent" };
const PRESENT: Matcher = { kind: "present" };
/** The most values of one test that are written out. */
const MOST_VALUES = 64;

type Named = Pick<ValueTest, "of" | "name">;

/** The value is there. */
export function presentTest(named: Named): ValueTest {
  return { ...named, holds: [PRESENT], fails: [ABSENT] };
}

/** The value is not there. */
export function absentTest(named: Named): ValueTest {
  return { ...named, holds: [ABSENT], fails: [PRESENT] };
}

/** The value is one of these texts. A text that no matcher can ask for is left out. */
export function oneOfTest(named: Named, texts: readonly string[], shortage?: ValueTest["shortage"]): ValueTest {
  const askable = texts.filter((text) => isAskable(text, named.of));
  const missing = shortage ?? (askable.length < texts.length ? "other" : undefined);
  const fails = askable.length === texts.length && shortage === undefined ? [ABSENT, ...noneOf(askable)] : undefined;
  return { ...named, holds: anyOf(askable), fails, ...(missing === undefined ? {} : { shortage: missing }) };
}

/** The value is there and is none of these texts. */
export function noneOfTest(named: Named, texts: readonly string[]): ValueTest {
  if (!texts.every((text) => isAskable(text, named.of))) return unaskable(named);
  return { ...named, holds: noneOf(texts), fails: [ABSENT, ...anyOf(texts)] };
}

/** The value begins, ends so or holds it. */
export function partTest(named: Named, kind: "prefix" | "suffix" | "contains", value: string): ValueTest {
  if (value === "") return presentTest(named);
  if (!isAskable(value, named.of) || (kind === "contains" && named.of !== "header")) return unaskable(named);
  return { ...named, holds: [{ kind, value }], fails: undefined };
}

/** Nothing that the language can ask. */
export function unaskable(named: Named): ValueTest {
  return { ...named, holds: [], fails: undefined, shortage: "other" };
}

/** Whether a matcher can hold this text: a header's in visible ASCII without blanks around it, a parameter's any. */
export function isAskable(text: string, of: ValueTest["of"]): boolean {
  if (of === "query") return /^\P{Cc}*$/u.test(text);
  return /^[!-~](?:[\t -~]*[!-~])?$/.test(text);
}

function anyOf(texts: readonly string[]): readonly Matcher[] {
  const [only] = texts;
  if (only === undefined) return [];
  return texts.length === 1 ? [{ kind: "equals", value: only }] : [{ kind: "in", values: texts }];
}

function noneOf(texts: readonly string[]): readonly Matcher[] {
  const [only] = texts;
  if (only === undefined) return [PRESENT];
  return texts.length === 1 ? [{ kind: "not", value: only }] : [{ kind: "notIn", values: texts }];
}

/** The whole value matches a regular expression. `leftmost-first` as for paths: an earlier branch that is too short wins. */
export function regexTest(named: Named, text: string, reading: "whole" | "leftmost-first"): ValueTest {
  const tree = parseRegex(text);
  const alternatives = tree === undefined ? undefined : alternativesOf(tree);
  if (alternatives === undefined) return unaskable(named);
  const literal = alternatives.map(spelled);
  if (literal.every((one) => one !== undefined)) {
    const kept = reading === "whole" ? literal : literal.filter((one, at) => !isShadowed(one, literal.slice(0, at)));
    return oneOfTest(named, [...new Set(kept)]);
  }
  const [only] = alternatives;
  if (alternatives.length > 1 || only === undefined) return unaskable(named);
  return wildcardTest(named, only) ?? listedTest(named, only);
}

const isShadowed = (text: string, earlier: readonly string[]): boolean =>
  earlier.some((one) => text.startsWith(one) && one !== text);

/** `a.*`, `.*a`, `.*a.*` and `.*` alone. */
function wildcardTest(named: Named, tokens: readonly Token[]): ValueTest | undefined {
  const [front, back] = [isStar(tokens[0]), isStar(tokens.at(-1))];
  if (tokens.length === 1 && front) return presentTest(named);
  const inner = spelled(tokens.slice(front ? 1 : 0, back ? -1 : undefined));
  if ((!front && !back) || inner === undefined) return undefined;
  return partTest(named, front && back ? "contains" : front ? "suffix" : "prefix", inner);
}

function isStar(token: Token | undefined): boolean {
  return (
    token !== undefined &&
    token.min === 0 &&
    token.max === Number.POSITIVE_INFINITY &&
    includesSet(token.set, ANY_CHARACTER)
  );
}

function listedTest(named: Named, tokens: readonly Token[]): ValueTest {
  if (tokens.every((token) => literalOf(token) === undefined && token.set.others)) return unaskable(named);
  const listed = textsOf(tokens, MOST_VALUES);
  if (listed === undefined) return unaskable(named);
  return oneOfTest(named, [...new Set(listed.texts)], listed.all ? undefined : "long-value");
}

/** Whether a value satisfies a matcher; `undefined` stands for no value. */
export function satisfies(matcher: Matcher, value: string | undefined): boolean {
  if (value === undefined) return matcher.kind === "absent";
  switch (matcher.kind) {
    case "equals":
      return value === matcher.value;
    case "in":
    case "hasAny":
      return matcher.values.includes(value);
    case "not":
      return value !== matcher.value;
    case "notIn":
      return !matcher.values.includes(value);
    case "prefix":
      return value.startsWith(matcher.value);
    case "suffix":
      return value.endsWith(matcher.value);
    case "contains":
      return value.includes(matcher.value);
    case "has":
      return value === matcher.value;
    case "present":
      return true;
    case "absent":
      return false;
  }
}

/**
 * Both matchers as one: `never` where no value satisfies the two, `undefined` where one matcher cannot say it.
 */
export function both(a: Matcher | undefined, b: Matcher): Matcher | "never" | undefined {
  if (a === undefined) return b;
  if (a.kind === "absent" || b.kind === "absent") return a.kind === b.kind ? a : "never";
  if (b.kind === "present") return a;
  if (a.kind === "present") return b;
  const listed = valuesOf(a) === undefined ? [b, a] : [a, b];
  const [list, other] = listed;
  const values = list === undefined ? undefined : valuesOf(list);
  if (values !== undefined && other !== undefined) {
    const [kept] = anyOf(values.filter((value) => satisfies(other, value)));
    return kept ?? "never";
  }
  const excluded = [excludedBy(a), excludedBy(b)];
  if (excluded.every((one) => one !== undefined)) return noneOf([...new Set(excluded.flat())])[0];
  if (sameMatcher(a, b)) return a;
  return sameEnd(a, b) ?? withoutExcluded(a, b) ?? withoutExcluded(b, a);
}

/** Of two beginnings or two ends the longer one, where it includes the other. */
function sameEnd(a: Matcher, b: Matcher): Matcher | "never" | undefined {
  if (a.kind === "prefix" && b.kind === "prefix") {
    if (a.value.startsWith(b.value)) return a;
    return b.value.startsWith(a.value) ? b : "never";
  }
  if (a.kind !== "suffix" || b.kind !== "suffix") return undefined;
  if (a.value.endsWith(b.value)) return a;
  return b.value.endsWith(a.value) ? b : "never";
}

/** A matcher none of whose values is excluded anyway. */
function withoutExcluded(a: Matcher, b: Matcher): Matcher | undefined {
  const excluded = excludedBy(b);
  return excluded?.every((value) => !satisfies(a, value)) ? a : undefined;
}

function valuesOf(matcher: Matcher): readonly string[] | undefined {
  if (matcher.kind === "equals") return [matcher.value];
  return matcher.kind === "in" ? matcher.values : undefined;
}

function excludedBy(matcher: Matcher): readonly string[] | undefined {
  if (matcher.kind === "not") return [matcher.value];
  return matcher.kind === "notIn" ? matcher.values : undefined;
}

function sameMatcher(a: Matcher, b: Matcher): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

const ELSEWHERE = /^(?:host|upgrade|x-cellwall-.*|x-forwarded-client-cert|authorization|cookie|proxy-authorization)$/;

/** Whether rules can ask for a header, in lower case: not the host, upgrades, what is withheld, and what the sidecar writes. */
export function isAskableHeader(name: string): boolean {
  return /^[a-z0-9!#$%&'*+.^_`|~-]+$/.test(name) && !ELSEWHERE.test(name);
}
