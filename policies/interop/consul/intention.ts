import type { DraftJwt } from "../draft/draft.ts";
import type { Notes } from "../draft/notes.ts";
import type { SourcePlace } from "../report.ts";
import type { Fields } from "../translate/fields.ts";
import { literalPath, type PathSet, rawPrefix } from "../translate/path-set.ts";
import type { Condition } from "../translate/piece.ts";
import { pathsOfRegex } from "../translate/regex-paths.ts";
import {
  absentTest,
  isAskableHeader,
  noneOfTest,
  oneOfTest,
  partTest,
  presentTest,
  regexTest,
  unaskable,
  type ValueTest,
} from "../translate/value-tests.ts";

import type { ConsulTokens } from "./tokens.ts";

/** A service by namespace and name; `*` is any. */
export interface ServiceName {
  readonly namespace: string;
  readonly name: string;
}

/** One permission of an intention, in its place in the order. */
export interface Permission {
  readonly action: "allow" | "deny";
  readonly condition: Condition;
  readonly place: SourcePlace;
  readonly construct: string;
}

/** What one source may do to one destination. */
export interface Intention {
  readonly destination: ServiceName;
  readonly source: ServiceName;
  readonly action: "allow" | "deny" | readonly Permission[];
  /** Tokens one of which is asked for; absent: none is. */
  readonly tokens?: readonly DraftJwt[];
  /** Stands for a source that cannot be told: it comes before what else is said of all sources. */
  readonly closes?: boolean;
  readonly place: SourcePlace;
  readonly construct: string;
}

const ENTRY_KEYS = "apiVersion kind metadata spec status name namespace partition destination sources jwt meta".split(
  " ",
);
const SOURCE_KEYS =
  "name namespace partition peer samenessGroup action permissions description type precedence legacyId legacyMeta legacyCreateTime legacyUpdateTime".split(
    " ",
  );
const HTTP_KEYS = ["pathExact", "pathPrefix", "pathRegex", "header", "methods"];
const HEADER_KEYS = ["name", "present", "exact", "prefix", "suffix", "contains", "regex", "invert", "ignoreCase"];

/** The intentions of one service-intentions entry, a Kubernetes resource or a plain config entry. */
export function intentionsOf(entry: Fields, home: string, tokens: ConsulTokens, notes: Notes): readonly Intention[] {
  const spec = entry.map("spec") ?? entry;
  const destination = destinationOf(entry, spec, home);
  const construct = `intentions for ${shown(destination)}`;
  for (const key of entry.unknown(ENTRY_KEYS))
    notes.add(entry.place(key), `${construct}: ${key}`, "unsupported", "this key is not known");
  const asked = spec.map("jwt");
  const all = asked === undefined ? undefined : tokens.asked(asked, `${construct}: jwt`);
  return spec
    .maps("sources")
    .flatMap((source) => intentionOf(source, { destination, construct, home, tokens, all }, notes));
}

const shown = ({ namespace, name }: ServiceName): string => `${namespace}/${name}`;

function destinationOf(entry: Fields, spec: Fields, home: string): ServiceName {
  const destination = spec.map("destination");
  const metadata = entry.map("metadata");
  const name = destination?.text("name") ?? entry.text("name") ?? metadata?.text("name");
  if (name === undefined) throw entry.invalid("name", "is missing");
  const given = destination?.text("namespace") ?? entry.text("namespace");
  return { name, namespace: given ?? (name === "*" ? "*" : home) };
}

interface Around {
  readonly destination: ServiceName;
  readonly construct: string;
  readonly home: string;
  readonly tokens: ConsulTokens;
  /** Tokens that the whole entry asks for. */
  readonly all: readonly DraftJwt[] | undefined;
}

function intentionOf(source: Fields, around: Around, notes: Notes): readonly Intention[] {
  const { destination, home } = around;
  const named: ServiceName = { name: source.text("name") ?? "*", namespace: source.text("namespace") ?? home };
  const construct = `${around.construct}: source ${shown(named)}`;
  const place = source.place();
  const action = actionOf(source, { ...around, construct }, notes);
  if (source.has("peer")) {
    notes.add(source.place("peer"), `${construct}: peer`, "unsupported", "callers of another cluster are denied");
    return [];
  }
  if (!isTold(source, named, home)) {
    notes.add(
      place,
      construct,
      "narrower",
      "this source is not told from others, so that all that no other source names are denied",
    );
    return [{ destination, source: { namespace: "*", name: "*" }, action: "deny", closes: true, place, construct }];
  }
  for (const key of source.unknown(SOURCE_KEYS))
    notes.add(source.place(key), `${construct}: ${key}`, "unsupported", "this key is not known");
  const { all } = around;
  return [{ destination, source: named, action, place, construct, ...(all === undefined ? {} : { tokens: all }) }];
}

/** Whether the registry tells a source: not by partitions and groups, nor by all services of one namespace. */
function isTold(source: Fields, { namespace, name }: ServiceName, home: string): boolean {
  const others = ["samenessGroup", "partition"].some((key) => source.has(key) && source.get(key) !== "default");
  return !others && (name !== "*" || namespace === home || namespace === "*" || namespace === "default");
}

function actionOf(source: Fields, around: Around, notes: Notes): Intention["action"] {
  const action = source.text("action")?.toLowerCase();
  const permissions = source.maps("permissions");
  if (permissions.length > 0) {
    if (action !== undefined) throw source.invalid("action", "stands beside permissions");
    if (around.destination.name === "*") throw source.invalid("permissions", "cannot be given for every destination");
    return permissions.map((permission, index) => permissionOf(permission, index, around, notes));
  }
  if (action !== "allow" && action !== "deny") throw source.invalid("action", "is neither allow nor deny");
  return action;
}

function permissionOf(permission: Fields, index: number, around: Around, notes: Notes): Permission {
  const construct = `${around.construct}: permissions[${index}]`;
  const action = permission.text("action")?.toLowerCase();
  if (action !== "allow" && action !== "deny") throw permission.invalid("action", "is neither allow nor deny");
  const opaque = permission.unknown(["action", "http", "jwt"]);
  const asked = permission.map("jwt");
  const tokens = asked === undefined ? undefined : around.tokens.asked(asked, `${construct}: jwt`);
  const http = permission.map("http");
  if (http === undefined && !permission.has("jwt")) throw permission.invalid("http", "is missing");
  for (const key of [...opaque, ...(http?.unknown(HTTP_KEYS) ?? [])])
    notes.add(permission.place(), `${construct}: ${key}`, "unsupported", "what it asks for cannot be asked for");
  const condition = http === undefined ? { methods: "ANY" as const, paths: EVERY_PATH, tests: [] } : conditionOf(http);
  const unsaid = opaque.length > 0 || (http?.unknown(HTTP_KEYS).length ?? 0) > 0;
  return {
    action,
    condition: {
      ...condition,
      ...(tokens === undefined ? {} : { tokens }),
      ...(unsaid ? { opaque: true } : {}),
    },
    place: permission.place(),
    construct,
  };
}

const EVERY_PATH: PathSet = { patterns: ["/**"] };

function conditionOf(http: Fields): Condition {
  const methods = http.texts("methods").map((method) => method.toUpperCase());
  return {
    methods: methods.length === 0 ? "ANY" : [...new Set(methods)],
    paths: pathsOf(http),
    tests: http.maps("header").map(headerTest),
  };
}

function pathsOf(http: Fields): PathSet | undefined {
  const [exact, prefix, regex] = [http.text("pathExact"), http.text("pathPrefix"), http.text("pathRegex")];
  const given = [exact, prefix, regex].filter((one) => one !== undefined);
  if (given.length > 1) throw http.invalid("pathExact", "stands beside another path");
  if (regex !== undefined) return pathsOfRegex(regex, "whole");
  if (exact !== undefined) return patternsOf([literalPath(exact)]);
  return prefix === undefined ? EVERY_PATH : patternsOf(rawPrefix(prefix) ?? []);
}

/** A path that no accepted request has is no pattern at all: nothing to allow and nothing to take away. */
function patternsOf(patterns: readonly (string | undefined)[]): PathSet {
  return { patterns: patterns.filter((pattern) => pattern !== undefined) };
}

function headerTest(header: Fields): ValueTest {
  const name = header.text("name")?.toLowerCase();
  if (name === undefined) throw header.invalid("name", "is missing");
  const named = { of: "header", name } as const;
  const invert = header.flag("invert");
  if (header.unknown(HEADER_KEYS).length > 0 || !isAskableHeader(name)) return unaskable(named);
  if (header.flag("present")) return invert ? absentTest(named) : presentTest(named);
  const test = valueTest(header, named, header.flag("ignoreCase"));
  if (!invert) return test;
  const exact = header.text("exact");
  return exact === undefined || header.flag("ignoreCase")
    ? { ...unaskable(named), fails: invertedFails(test) }
    : noneOfTest(named, [exact]);
}

/** Where the inverted test does not hold: the value is missing, or the test itself holds. */
function invertedFails({ holds, shortage }: ValueTest): ValueTest["fails"] {
  return shortage === undefined ? [{ kind: "absent" }, ...holds] : undefined;
}

function valueTest(
  header: Fields,
  named: { readonly of: "header"; readonly name: string },
  ignoreCase: boolean,
): ValueTest {
  const [exact, regex] = [header.text("exact"), header.text("regex")];
  if (exact !== undefined)
    return oneOfTest(
      named,
      ignoreCase ? spellings(exact) : [exact],
      ignoreCase && spellings(exact).length === 1 ? "other" : undefined,
    );
  if (regex !== undefined) return ignoreCase ? unaskable(named) : regexTest(named, regex, "whole");
  for (const kind of ["prefix", "suffix", "contains"] as const) {
    const value = header.text(kind);
    if (value === undefined) continue;
    const test = partTest(named, kind, value);
    return ignoreCase && /[a-z]/i.test(value)
      ? { ...test, holds: spellings(value).map((one) => ({ kind, value: one })) }
      : test;
  }
  throw header.invalid("exact", "is missing: a header is tested in one way");
}

/** Every spelling in upper and lower case, or the given one alone where there are more than 64. */
function spellings(text: string): readonly string[] {
  const letters = text.replace(/[^a-z]/gi, "").length;
  if (letters > 6) return [text];
  return [...text].reduce<readonly string[]>(
    (starts, character) =>
      starts.flatMap((start) =>
        [...new Set([character.toLowerCase(), character.toUpperCase()])].map((one) => start + one),
      ),
    [""],
  );
}
