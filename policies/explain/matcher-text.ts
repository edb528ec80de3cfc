import { unreachable } from "../match/value.ts";
import type { CallerSelector, Matcher, PatternSegment } from "../model/index.ts";

/** A matcher in words. */
export function matcherText(matcher: Matcher): string {
  switch (matcher.kind) {
    case "equals":
      return `\`${matcher.value}\``;
    case "in":
      return `one of ${list(matcher.values)}`;
    case "not":
      return `anything but \`${matcher.value}\``;
    case "notIn":
      return `none of ${list(matcher.values)}`;
    case "prefix":
      return `something that begins with \`${matcher.value}\``;
    case "suffix":
      return `something that ends with \`${matcher.value}\``;
    case "contains":
      return `something that contains \`${matcher.value}\``;
    case "has":
      return `a set with \`${matcher.value}\``;
    case "hasAny":
      return `a set with one of ${list(matcher.values)}`;
    case "present":
      return "any value";
    case "absent":
      return "no value";
    default:
      return unreachable(matcher);
  }
}

/** An entry of `from` in words. */
export function selectorText(selector: CallerSelector): string {
  const { workload, labels, namespace, spiffe, trustDomain, anyone, addresses } = selector;
  const parts: string[] = [];
  if (workload) parts.push(`workload \`${workload.namespace}/${workload.name}\``);
  if (labels) {
    const where = namespace === "*" ? "any namespace" : `namespace \`${namespace}\``;
    const texts = [...labels].map(([key, matcher]) => `\`${key}\` is ${matcherText(matcher)}`);
    parts.push(`a workload of ${where} whose label ${texts.join(" and ")}`);
  }
  if (spiffe) parts.push(`\`${spiffe.id}${spiffe.descendants ? "/**" : ""}\``);
  if (trustDomain) parts.push(`trust domain \`${trustDomain}\``);
  if (anyone) parts.push(anyone === "authenticated" ? "any registered workload" : "an anonymous caller");
  if (addresses) parts.push(`an address in ${list(addresses.map(({ text }) => text))}`);
  return parts.join(" and ");
}

/** One segment of a path pattern as it is written. */
export function segmentText(segment: PatternSegment): string {
  switch (segment.kind) {
    case "literal":
      return segment.value;
    case "parameter":
      return `${segment.prefix}{${segment.name}${segment.type === "any" ? "" : `:${segment.type}`}}${segment.suffix}`;
    case "rest":
      return "**";
  }
}

function list(values: readonly string[]): string {
  return values.map((value) => `\`${value}\``).join(", ");
}
