import type { Fields } from "../translate/fields.ts";
import type { PathSet } from "../translate/path-set.ts";
import type { Condition } from "../translate/piece.ts";
import { pathsOfRegex } from "../translate/regex-paths.ts";
import { alternativesOf, spelled } from "../translate/regex-tokens.ts";
import { parseRegex } from "../translate/regex-tree.ts";
import { isAskableHeader, oneOfTest, presentTest, unaskable, type ValueTest } from "../translate/value-tests.ts";

/** Some path of a pattern. */
export function plainPath(pattern: string): string {
  return pattern.replaceAll("**", "x").replace(/\{[^{}:]*(?::[a-z]+)?\}/g, "1");
}

/** One HTTP rule: what it asks, and how the source's reading of it is less than ours. */
export interface HttpRule {
  readonly condition: Condition;
  /** A target that the source refuses because it looks at the query too; absent where there is none. */
  readonly refusedTarget?: string;
  /** A host with a port, which the source refuses; absent where hosts are not asked for. */
  readonly refusedHost?: string;
  /** Keys that cannot be said. */
  readonly unsaid: readonly string[];
}

const KEYS = ["path", "method", "host", "headers", "headerMatches"];

/** Reads one entry of `rules.http`. Texts are regular expressions over the whole value. */
export function readHttpRule(rule: Fields): HttpRule {
  const [path, method, host] = [rule.text("path"), rule.text("method"), rule.text("host")];
  const methods = method === undefined ? "ANY" : methodsOf(method);
  const hosts = host === undefined ? undefined : literals(host)?.map((one) => one.toLowerCase());
  const paths = path === undefined ? EVERY_PATH : pathsOf(path);
  const matches = rule.maps("headerMatches").map(headerMatch);
  const unsaid = [
    ...rule.unknown(KEYS),
    ...(paths === undefined ? ["path"] : []),
    ...(methods === undefined ? ["method"] : []),
    ...(host !== undefined && hosts === undefined ? ["host"] : []),
    ...matches.flatMap(({ unsaid: key }) => key ?? []),
  ];
  const tests = [...rule.texts("headers").map(headerText), ...matches.flatMap(({ test }) => test ?? [])];
  const refusedTarget = path === undefined || paths === undefined ? undefined : refusedTargetOf(path, paths);
  return {
    condition: {
      methods: methods ?? [],
      paths,
      ...(hosts === undefined ? {} : { hosts }),
      tests,
      ...(unsaid.length > 0 ? { opaque: true } : {}),
    },
    ...(refusedTarget === undefined ? {} : { refusedTarget }),
    ...(hosts?.[0] === undefined ? {} : { refusedHost: `${hosts[0]}:8080` }),
    unsaid,
  };
}

const EVERY_PATH: PathSet = { patterns: ["/**"] };

/** The path before an optional query that the expression itself names. */
const QUERY = /(?:\(\\\?\.\*\)\?|\(\?:\\\?\.\*\)\?)\$?$/;

function pathsOf(text: string): PathSet | undefined {
  return pathsOfRegex(text.replace(QUERY, ""), "whole");
}

/**
 * The source compares the target with its query. A target that a pattern matches and the expression does not, if one is
 * found among a path of each pattern with a query that has every kind of character.
 */
function refusedTargetOf(text: string, { patterns }: PathSet): string | undefined {
  const targets = patterns.map((pattern) => `${plainPath(pattern)}?a=/b&c=%20`);
  try {
    const whole = new RegExp(`^(?:${text})$`);
    return targets.find((target) => !whole.test(target));
  } catch {
    return targets[0];
  }
}

function literals(text: string): readonly string[] | undefined {
  const tree = parseRegex(text);
  const texts = (tree === undefined ? undefined : alternativesOf(tree))?.map(spelled);
  const known = texts?.filter((one) => one !== undefined);
  return known !== undefined && known.length === texts?.length ? known : undefined;
}

function methodsOf(text: string): Condition["methods"] | undefined {
  if (/^\^?\.[*+]\$?$/.test(text)) return "ANY";
  const methods = literals(text);
  // A method that no request line takes is one that no line allows.
  return methods?.filter((method) => /^[A-Z]+(?:-[A-Z]+)*$/.test(method) && method !== "CONNECT");
}

/** `Name` is there; `Name: value` and `Name value` is exactly that. */
function headerText(text: string): ValueTest {
  const [, name = "", value] = /^([^\s:]+)(?::?\s+(.*))?$/.exec(text.trim()) ?? [];
  const named = { of: "header", name: name.toLowerCase() } as const;
  if (!isAskableHeader(named.name)) return unaskable(named);
  return value === undefined ? presentTest(named) : oneOfTest(named, [value]);
}

interface HeaderMatch {
  readonly test?: ValueTest;
  readonly unsaid?: string;
}

/** With a `mismatch` action a header that differs is changed and the request goes on: it asks for nothing. */
function headerMatch(match: Fields): HeaderMatch {
  if (match.has("mismatch")) return {};
  if (match.has("secret") || match.unknown(["name", "value"]).length > 0) return { unsaid: "headerMatches" };
  const [name = "", value] = [match.text("name"), match.text("value")];
  const named = { of: "header", name: name.toLowerCase() } as const;
  if (!isAskableHeader(named.name)) return { test: unaskable(named) };
  return { test: value === undefined ? presentTest(named) : oneOfTest(named, [value]) };
}
