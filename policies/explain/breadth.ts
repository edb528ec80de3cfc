import { tryParseSpiffeId } from "../../spiffe/index.ts";
import { compile } from "../compile/compile.ts";
import { decide } from "../decide/decide.ts";
import type { WitnessRequest } from "../findings/finding.ts";
import { witnessOf } from "../findings/witness-text.ts";
import { parameterMatches } from "../match/parameter.ts";
import { requestView } from "../match/request.ts";
import { grpcPattern, lineMatches } from "../match/request-line.ts";
import type {
  Attributes,
  HttpAttributes,
  PathPattern,
  PatternSegment,
  PolicySet,
  RequestLine,
} from "../model/index.ts";
import { canonicalPath } from "../path/canonical-path.ts";
import { encodePath } from "../path/encode-path.ts";
import type { EditedRule } from "./suggestion.ts";

const MOST_WITNESSES = 3;
const MOST_CALLERS = 200;

/**
 * Other requests that are allowed after an edit and were not before, one of each sort: another path of a line, another
 * caller, destination, method, header value or time. Each has been decided by both sets.
 */
export function alsoAllowed(
  before: PolicySet,
  after: PolicySet,
  attributes: Attributes,
  rules: readonly EditedRule[],
): readonly WitnessRequest[] {
  const destinations = [...new Set([attributes.destination.toString(), ...rules.flatMap((each) => each.destinations)])];
  const [old, now] = [compile(before, { destinations }), compile(after, { destinations })];
  const isNew = (request: Attributes): boolean =>
    decide(now, request).evaluated === "allow" && decide(old, request).evaluated === "deny";
  const found: Attributes[] = [];
  for (const sort of sorts(after, attributes, rules)) {
    if (found.length >= MOST_WITNESSES) break;
    const witness = sort.find((request) => isNew(request) && !found.includes(request));
    if (witness !== undefined) found.push(witness);
  }
  return found.map((request) => witnessOf(request, after));
}

/** Requests that differ from one in one respect, by what that is. */
function sorts(set: PolicySet, request: Attributes, rules: readonly EditedRule[]): readonly (readonly Attributes[])[] {
  const lines = rules.flatMap(({ rule }) => rule.requests ?? []);
  const others = lines.flatMap((line) => samples(line, request));
  return [
    others.filter((each) => each.http?.method === request.http?.method),
    otherCallers(set, request),
    otherDestinations(request, rules),
    others.filter((each) => each.http?.method !== request.http?.method),
    otherConditions(set, request, rules),
    otherCallers(set, request).flatMap((caller) => lines.flatMap((line) => samples(line, caller).slice(0, 2))),
  ];
}

function otherCallers(set: PolicySet, request: Attributes): readonly Attributes[] {
  if (request.listener.kind === "edge") return [];
  return set.workloads
    .filter(
      ({ identity }) => ![request.caller?.toString(), request.destination.toString()].includes(identity.toString()),
    )
    .slice(0, MOST_CALLERS)
    .map(({ identity }) => ({ ...request, caller: identity }));
}

function otherDestinations(request: Attributes, rules: readonly EditedRule[]): readonly Attributes[] {
  return rules
    .flatMap(({ destinations }) => destinations)
    .filter((identity) => identity !== request.destination.toString())
    .flatMap((identity) => {
      const read = tryParseSpiffeId(identity);
      return read.ok ? [{ ...request, destination: read.id }] : [];
    });
}

const DAY_MS = 86_400_000;

/** Without a header that a rule looks at, with another value of it, and within the rule's own time. */
function otherConditions(set: PolicySet, request: Attributes, rules: readonly EditedRule[]): readonly Attributes[] {
  const { http } = request;
  const names = new Set(http === undefined ? [] : [...http.headers.keys(), ...headersAskedOf(set, request)]);
  const withHeader = (name: string, values: readonly string[]): Attributes =>
    http === undefined ? request : { ...request, http: { ...http, headers: new Map(http.headers).set(name, values) } };
  const times = rules.flatMap(({ rule }) => [rule.notAfter, rule.notBefore]).filter((time) => time !== undefined);
  return [
    ...[...names].flatMap((name) => [
      ...(http?.headers.has(name) ? [withHeader(name, [])] : []),
      withHeader(name, ["other"]),
    ]),
    ...times.map((time) => ({ ...request, now: time })),
    ...times.map((time) => ({ ...request, now: new Date(time.getTime() - DAY_MS) })),
  ];
}

/** Headers that some allow asks of just this request: an edit may lead past them. */
function headersAskedOf(set: PolicySet, request: Attributes): readonly string[] {
  const path = canonicalPath(request.http?.path ?? "");
  const view = requestView(request, path.ok ? path.segments : undefined);
  const destination = request.destination.toString();
  return set.policies
    .filter(({ destinations }) => destinations.includes(destination))
    .flatMap(({ allow }) => allow)
    .filter(({ requests }) => requests?.some((line) => lineMatches("allow", line, view) !== false))
    .flatMap(({ headers }) => [...headers.keys()]);
}

/** Requests that a line is about, other than the request itself. */
function samples(line: RequestLine, request: Attributes): readonly Attributes[] {
  const { http } = request;
  if (line.kind === "tcp" || http === undefined) return [];
  const pattern = line.kind === "grpc" ? grpcPattern(line) : line.path;
  const methods =
    line.kind === "http" ? (line.methods === "ANY" ? ["GET", "POST", "DELETE"] : line.methods) : [http.method];
  const query = http.path.includes("?") ? http.path.slice(http.path.indexOf("?")) : "";
  const paths = ["", "x"].map((other) => `${pathOf(pattern, other)}${query}`);
  return methods
    .flatMap((method) => paths.map((path) => ({ ...request, http: { ...http, method, path } })))
    .filter((each) => !isSame(each.http, http));
}

function isSame(left: HttpAttributes, right: HttpAttributes): boolean {
  return left.method === right.method && left.path === right.path;
}

const VALUES = ["7", "x", "2026-01-31", "7f", "a-b", "5ad7750b-a68b-49c0-a8c0-32776b067703"];

function pathOf(pattern: PathPattern, other: string): string {
  return encodePath(pattern.segments.flatMap((segment) => sampleOf(segment, other)));
}

function sampleOf(segment: PatternSegment, other: string): readonly string[] {
  switch (segment.kind) {
    case "literal":
      return [segment.value];
    case "rest":
      return [other === "" ? "x" : "y", "z"];
    case "parameter": {
      const values = VALUES.map((value) => `${segment.prefix}${value}${other === "" ? "" : "1"}${segment.suffix}`);
      return [values.find((value) => parameterMatches(segment, value)) ?? VALUES.at(-1) ?? ""];
    }
  }
}
