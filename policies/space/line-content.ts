import { foldLine } from "../match/request.ts";
import type { CallerSelector, PathPattern, RequestLine, Rule } from "../model/index.ts";

const RULES = new WeakMap<Rule, string>();

/** Everything about a rule but its name, its lines and where it stands, as text: equal texts mean the same. */
export function ruleContent(rule: Rule): string {
  const known = RULES.get(rule);
  if (known !== undefined) return known;
  const text = writeRule(rule);
  RULES.set(rule, text);
  return text;
}

function writeRule(rule: Rule): string {
  const { except } = rule;
  return JSON.stringify([
    rule.effect,
    rule.always,
    [...rule.across].sort(),
    rule.from?.map(selectorContent),
    rule.ports,
    rule.hosts,
    sorted(rule.headers),
    sorted(rule.query),
    rule.jwt && [rule.jwt.provider, [...rule.jwt.scopes].sort(), sorted(rule.jwt.claims)],
    rule.notBefore?.getTime(),
    rule.notAfter?.getTime(),
    except && [except.from?.map(selectorContent), except.requests?.map((line) => lineContent(line, false))],
  ]);
}

/** Everything about a line but the names of its parameters, as text. */
export function lineContent(line: RequestLine | undefined, folds: boolean): string {
  if (line === undefined) return "*";
  const read = folds ? foldLine(line) : line;
  switch (read.kind) {
    case "http":
      return `${read.methods === "ANY" ? "ANY" : [...read.methods].sort().join("|")} ${pathContent(read.path)}`;
    case "websocket":
      return `websocket ${pathContent(read.path)}`;
    case "grpc":
      return `grpc ${read.service}/${read.method}`;
    case "tcp":
      return `tcp ${read.port}`;
  }
}

function pathContent({ segments }: PathPattern): string {
  return JSON.stringify(
    segments.map((segment) => {
      if (segment.kind === "parameter") return [segment.type, segment.prefix, segment.suffix];
      return segment.kind === "literal" ? segment.value : 0;
    }),
  );
}

function selectorContent(selector: CallerSelector): unknown {
  const { workload, labels, namespace, spiffe, trustDomain, anyone, addresses } = selector;
  return [
    workload && `${workload.namespace}/${workload.name}`,
    labels && [namespace, sorted(labels)],
    spiffe && [spiffe.id.toString(), spiffe.descendants],
    trustDomain,
    anyone,
    addresses?.map(({ bytes, prefixLength }) => [bytes, prefixLength]),
  ];
}

function sorted<T>(map: ReadonlyMap<string, T>): readonly (readonly [string, T])[] {
  return [...map].sort(([left], [right]) => (left < right ? -1 : 1));
}
