import { isUnknownHeader } from "../decide/conditions.ts";
import { canonicalHost } from "../match/host.ts";
import { foldLine, type RequestView } from "../match/request.ts";
import { grpcPattern, lineMatches } from "../match/request-line.ts";
import { isCleanHeader, isCleanQuery, valuesMatch } from "../match/values.ts";
import type { RequestLine, Rule } from "../model/index.ts";
import { exceptMatches, inTime, labelsKnownOf, type PolicyLine, tokenTruth } from "../reference/lines.ts";
import { apartLabels, isolateLabelOf, type Situation } from "../reference/situation.ts";
import { callerLacks } from "./caller-lack.ts";
import type { Lack, RequestKind } from "./explanation.ts";
import { matcherText } from "./matcher-text.ts";
import { pathLacks } from "./path-lack.ts";

/** Everything that a line lacks to match. Empty exactly where the line matches and isolation lets it count. */
export function lacksOf(line: PolicyLine, situation: Situation): readonly Lack[] {
  const { of: rule } = line;
  return [
    ...fromLacks(line, situation),
    ...isolationLacks(rule, situation),
    ...(line.request === undefined ? [] : requestLacks(rule.effect, line.request, situation)),
    ...portLacks(rule, situation),
    ...hostLacks(rule, situation),
    ...headerLacks(rule, situation),
    ...queryLacks(rule, situation),
    ...timeLacks(rule, situation),
    ...exceptLacks(line, situation),
    ...tokenLacks(rule, situation),
  ];
}

function fromLacks(line: PolicyLine, situation: Situation): readonly Lack[] {
  const { from } = line.of;
  if (from === undefined) return [];
  const { caller, address, attributes } = situation;
  const context = { address, labelsKnown: labelsKnownOf(line, situation) };
  return callerLacks(from, caller, context, attributes.peerAddress);
}

function isolationLacks(rule: Rule, situation: Situation): readonly Lack[] {
  if (rule.effect === "deny") return [];
  return apartLabels(situation)
    .filter((key) => !rule.across.includes(key))
    .map((key) => ({
      kind: "isolation",
      key,
      caller: isolateLabelOf(situation.caller, key),
      destination: situation.destination?.labels.get(key),
      unknown: false,
    }));
}

function requestLacks(effect: Rule["effect"], written: RequestLine, situation: Situation): readonly Lack[] {
  const { request, destination, path } = situation;
  const line = destination?.paths.caseInsensitive ? foldLine(written) : written;
  const truth = lineMatches(effect, line, request);
  if (truth === true) return [];
  const got = kindOf(request);
  if (request.kind === "tcp" || line.kind === "tcp") {
    if (request.kind === "tcp" && line.kind === "tcp" && line.port !== "*") {
      return [{ kind: "port", expected: [line.port], got: request.port, unknown: false }];
    }
    return [{ kind: "request", expected: line.kind, got, unknown: false }];
  }
  const kind: readonly Lack[] = fitsKind(effect, line, request, got)
    ? []
    : [{ kind: "request", expected: line.kind, got, unknown: truth === "unknown" }];
  const pattern = line.kind === "grpc" ? grpcPattern(line) : line.path;
  const inPath: readonly Lack[] =
    path?.ok === false
      ? [{ kind: "path", refusal: path.reason, unknown: true }]
      : pathLacks(effect, pattern, request.segments ?? []);
  return [...kind, ...methodLacks(effect, line, request.method), ...inPath];
}

type HttpView = Extract<RequestView, { readonly kind: "http" }>;

function fitsKind(effect: Rule["effect"], line: RequestLine, request: HttpView, got: RequestKind): boolean {
  if (effect === "deny") return line.kind !== "websocket" || request.upgrade !== undefined;
  if (line.kind === "http") return request.upgrade === undefined && request.grpc.maybe === false;
  return line.kind === "grpc" ? request.upgrade === undefined && request.grpc.surely === true : line.kind === got;
}

function kindOf(request: RequestView): RequestKind {
  if (request.kind === "tcp") return "tcp";
  if (request.upgrade !== undefined) return request.upgrade === "websocket" ? "websocket" : "upgrade";
  return request.grpc.maybe === true ? "grpc" : "http";
}

function methodLacks(effect: Rule["effect"], line: RequestLine, got: string): readonly Lack[] {
  const expected = methodsOf(effect, line);
  return expected === "ANY" || expected.includes(got) ? [] : [{ kind: "method", expected, got, unknown: false }];
}

function methodsOf(effect: Rule["effect"], line: RequestLine): readonly string[] | "ANY" {
  if (line.kind === "http") {
    const isWide = effect === "deny" && line.methods !== "ANY" && line.methods.includes("GET");
    return isWide ? [...line.methods, "HEAD"] : line.methods;
  }
  if (effect === "deny") return "ANY";
  return line.kind === "websocket" ? ["GET", "CONNECT"] : ["POST"];
}

function portLacks(rule: Rule, { attributes }: Situation): readonly Lack[] {
  const got = attributes.listener.port;
  if (rule.ports === undefined || rule.ports.includes(got)) return [];
  return [{ kind: "port", expected: rule.ports, got, unknown: false }];
}

function hostLacks(rule: Rule, { attributes, host }: Situation): readonly Lack[] {
  if (rule.hosts === undefined) return [];
  const expected = rule.hosts.map((text) => {
    const read = canonicalHost(text);
    return read.ok ? read.host : text;
  });
  if (attributes.unrecorded !== undefined && attributes.http !== undefined) {
    return [{ kind: "host", expected, got: "unrecorded", unknown: true }];
  }
  if (host?.ok && expected.includes(host.host)) return [];
  return [{ kind: "host", expected, got: attributes.http?.host ?? "", unknown: host?.ok === false }];
}

function headerLacks(rule: Rule, { attributes }: Situation): readonly Lack[] {
  const { http, unrecorded } = attributes;
  return [...rule.headers].flatMap(([name, matcher]): readonly Lack[] => {
    const expected = matcherText(matcher);
    if (isUnknownHeader(attributes, name)) {
      return [{ kind: "header", name, expected, got: unrecorded ? "unrecorded" : "withheld", unknown: true }];
    }
    const got = http?.headers.get(name) ?? [];
    const isNever = http === undefined && rule.effect === "allow";
    if (!isNever && valuesMatch(rule.effect, matcher, got, isCleanHeader)) return [];
    return [{ kind: "header", name, expected, got, unknown: false }];
  });
}

function queryLacks(rule: Rule, { attributes, query, path }: Situation): readonly Lack[] {
  const isNever = attributes.http === undefined && rule.effect === "allow";
  return [...rule.query].flatMap(([name, matcher]): readonly Lack[] => {
    const expected = matcherText(matcher);
    const unknown = path?.ok === false;
    if (!unknown && attributes.unrecorded !== undefined && attributes.http !== undefined) {
      return [{ kind: "query", name, expected, got: "unrecorded", unknown: true }];
    }
    if (unknown || query === "malformed") {
      if (!unknown && rule.effect === "deny") return [];
      return [{ kind: "query", name, expected, got: "malformed", unknown }];
    }
    const got = query.get(name) ?? [];
    if (!isNever && valuesMatch(rule.effect, matcher, got, isCleanQuery)) return [];
    return [{ kind: "query", name, expected, got, unknown: false }];
  });
}

function timeLacks(rule: Rule, situation: Situation): readonly Lack[] {
  if (inTime(rule, situation)) return [];
  return [{ kind: "time", notBefore: rule.notBefore, notAfter: rule.notAfter, unknown: false }];
}

function exceptLacks(line: PolicyLine, situation: Situation): readonly Lack[] {
  const truth = exceptMatches(line, situation);
  return truth === false ? [] : [{ kind: "except", unknown: truth === "unknown" }];
}

function tokenLacks(rule: Rule, situation: Situation): readonly Lack[] {
  const truth = tokenTruth(rule, situation);
  if (rule.jwt === undefined || truth === true) return [];
  const { provider, scopes, claims } = rule.jwt;
  const expected = [
    ...scopes.map((scope) => `scope \`${scope}\``),
    ...[...claims].map(([name, matcher]) => `claim \`${name}\`: ${matcherText(matcher)}`),
  ];
  const why = truth === "no-token" ? "absent" : truth === "unknown" ? "not-run" : "claims";
  return [{ kind: "token", provider, why, expected, unknown: truth === "unknown" }];
}
