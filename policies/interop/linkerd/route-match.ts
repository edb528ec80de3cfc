import type { Notes } from "../draft/notes.ts";
import type { World } from "../draft/world.ts";
import type { SourcePlace } from "../report.ts";
import type { Fields } from "../translate/fields.ts";
import { literalPath, type PathSet, segmentPrefix } from "../translate/path-set.ts";
import type { Condition } from "../translate/piece.ts";
import { pathsOfRegex } from "../translate/regex-paths.ts";
import { isAskableHeader, oneOfTest, regexTest, unaskable, type ValueTest } from "../translate/value-tests.ts";

/** How far one match of a route reaches over another: compared part by part. */
export interface Precision {
  /** 0 no host, 1 a suffix, 2 a whole name; then the length of the text. */
  readonly host: readonly [number, number];
  /** `full` covers the whole path, whatever its length; `prefix` as many characters as it has. */
  readonly path: { readonly kind: "full" | "prefix"; readonly length: number; readonly open: boolean };
  readonly rest: readonly number[];
}

/** One match of a route, for one host name. */
export interface RouteMatch {
  /** `<kind>/<name>` of the route, which authorizations name. */
  readonly route: string;
  readonly condition: Condition;
  readonly precision: Precision;
  readonly place: SourcePlace;
  readonly construct: string;
}

const MATCH_KEYS = ["path", "method", "headers", "queryParams"];

/** The matches of an HTTPRoute or GRPCRoute, in order; one for each host name. */
export function routeMatches(
  route: Fields,
  kind: "HTTPRoute" | "GRPCRoute",
  { hosts: known }: World,
  notes: Notes,
): readonly RouteMatch[] {
  const spec = route.map("spec");
  const name = route.map("metadata")?.text("name");
  if (spec === undefined || name === undefined) throw route.invalid("spec", "or a name is missing");
  const hosts = spec.texts("hostnames").map((host) => host.toLowerCase());
  return spec.maps("rules").flatMap((rule, index) => {
    const construct = `${kind} ${name}: rules[${index}]`;
    if (rule.has("filters"))
      notes.add(rule.place("filters"), `${construct}: filters`, "exact", "filters change requests and decide nothing");
    const matches = rule.maps("matches");
    const conditions =
      matches.length === 0
        ? [{ ...emptyMatch(kind), place: rule.place() }]
        : matches.map((match) => ({ ...matchOf(match, kind), place: match.place() }));
    return conditions.flatMap(({ condition, precision, place }) =>
      withHosts(hosts, known).map((host) => ({
        route: `${kind}/${name}`,
        condition: { ...condition, ...host.condition },
        precision: { ...precision, host: host.precision },
        place,
        construct,
      })),
    );
  });
}

interface HostMatch {
  readonly condition: Partial<Condition>;
  readonly precision: Precision["host"];
}

function withHosts(hosts: readonly string[], known: readonly string[]): readonly HostMatch[] {
  if (hosts.length === 0) return [{ condition: {}, precision: [0, 0] }];
  return hosts.map((host) => {
    const wildcard = host.startsWith("*.");
    const precision: Precision["host"] = [wildcard ? 1 : 2, host.length];
    // Hosts are compared without their last dot, so that one cannot be asked for.
    if (host.endsWith(".")) return { condition: { opaque: true }, precision };
    const hostSuffix = host.slice(1);
    const told = known.filter((one) => one.endsWith(hostSuffix));
    if (wildcard) return { condition: { hosts: told, hostSuffix }, precision };
    return { condition: { hosts: [host] }, precision };
  });
}

type Match = Pick<RouteMatch, "condition"> & { readonly precision: Omit<Precision, "host"> };

const NO_PATH: Precision["path"] = { kind: "prefix", length: 0, open: false };

function emptyMatch(kind: "HTTPRoute" | "GRPCRoute"): Match {
  if (kind === "GRPCRoute") return grpcCondition(undefined, undefined, []);
  return {
    condition: { methods: "ANY", paths: { patterns: ["/**"] }, tests: [] },
    precision: { path: NO_PATH, rest: [0, 0, 0] },
  };
}

function matchOf(match: Fields, kind: "HTTPRoute" | "GRPCRoute"): Match {
  const read = kind === "GRPCRoute" ? grpcMatch(match) : httpMatch(match);
  const unknown = match.unknown(MATCH_KEYS).length > 0;
  return unknown ? { ...read, condition: { ...read.condition, opaque: true } } : read;
}

function httpMatch(match: Fields): Match {
  const headers = match.maps("headers").map((test) => valueTest(test, "header"));
  const query = match.maps("queryParams").map((test) => valueTest(test, "query"));
  const method = match.text("method");
  const path = match.map("path");
  const { paths, precision } = path === undefined ? { paths: EVERY_PATH, precision: NO_PATH } : pathMatch(path);
  return {
    condition: { methods: method === undefined ? "ANY" : [method], paths, tests: [...headers, ...query] },
    precision: { path: precision, rest: [headers.length, query.length, method === undefined ? 0 : 1] },
  };
}

const EVERY_PATH: PathSet = { patterns: ["/**"] };

function pathMatch(path: Fields): { readonly paths: PathSet | undefined; readonly precision: Precision["path"] } {
  const value = path.text("value") ?? "/";
  const length = value.length;
  switch (path.text("type") ?? "PathPrefix") {
    case "Exact":
      return { paths: only([literalPath(value)]), precision: { kind: "full", length, open: false } };
    case "PathPrefix":
      return { paths: only(segmentPrefix(value) ?? []), precision: { kind: "prefix", length, open: false } };
    case "RegularExpression":
      return { paths: pathsOfRegex(value, "leftmost-first"), precision: { kind: "full", length, open: true } };
    default:
      throw path.invalid("type", "is no way to match a path");
  }
}

const only = (patterns: readonly (string | undefined)[]): PathSet => ({
  patterns: patterns.filter((pattern) => pattern !== undefined),
});

function valueTest(test: Fields, of: "header" | "query"): ValueTest {
  const name = of === "header" ? test.text("name")?.toLowerCase() : test.text("name");
  if (name === undefined) throw test.invalid("name", "is missing");
  if (of === "header" && !isAskableHeader(name)) return unaskable({ of, name });
  const value = test.text("value") ?? "";
  return test.text("type") === "RegularExpression"
    ? regexTest({ of, name }, value, "leftmost-first")
    : oneOfTest({ of, name }, [value]);
}

function grpcMatch(match: Fields): Match {
  const method = match.map("method");
  const tests = match.maps("headers").map((test) => valueTest(test, "header"));
  const read = grpcCondition(method?.text("service"), method?.text("method"), tests);
  if ((method?.text("type") ?? "Exact") === "Exact") return read;
  return { ...read, condition: { ...read.condition, opaque: true } };
}

/** gRPC is told by `POST` and a path of two segments. */
function grpcCondition(service: string | undefined, method: string | undefined, tests: readonly ValueTest[]): Match {
  const path = `/${service ?? "{service}"}/${method ?? "{method}"}`;
  return {
    condition: { methods: ["POST"], paths: { patterns: [path] }, tests },
    precision: {
      path: { kind: "full", length: 0, open: false },
      rest: [service === undefined ? 0 : 1, method === undefined ? 0 : 1, tests.length],
    },
  };
}

/** How one match stands to another for requests that both match. */
export type Standing = "before" | "after" | "either";

/** Compares two matches; `index` is their order, which decides between equals. */
export function standing(a: RouteMatch, b: RouteMatch, aIsFirst: boolean): Standing {
  const [left, right] = [a.precision, b.precision];
  const host = order(left.host, right.host);
  if (host !== 0) return host > 0 ? "before" : "after";
  const path = comparePaths(left.path, right.path);
  if (path === "either") return "either";
  if (path !== 0) return path > 0 ? "before" : "after";
  const rest = order(left.rest, right.rest);
  if (rest !== 0) return rest > 0 ? "before" : "after";
  return aIsFirst ? "before" : "after";
}

function order(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((value, index) => value !== b[index]);
  return at === -1 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}

/** Two that cover the whole path are equal; a prefix is shorter, or as long as the path is. */
function comparePaths(a: Precision["path"], b: Precision["path"]): number | "either" {
  if (a.kind === b.kind) return a.kind === "full" ? 0 : a.length - b.length;
  const full = a.kind === "full" ? a : b;
  if (full.open) return "either";
  return a.length - b.length;
}
