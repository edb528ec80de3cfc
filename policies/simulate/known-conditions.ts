import type { CompiledRule } from "../compile/compiled-rule.ts";
import type { PolicySet, Rule } from "../model/index.ts";
import { linesOf } from "../reference/lines.ts";

/** What the rule of the line that allowed a request says of host, headers, query and token: all of it was true. */
export interface KnownConditions {
  /** Whether a condition is among them, word by word. */
  readonly has: (condition: string) => boolean;
  /** The hosts of which the request had one; absent where the rule does not say. */
  readonly hosts: ReadonlySet<string> | undefined;
}

/** By line id, what an allow of that line tells. */
export type KnownByLine = ReadonlyMap<string, KnownConditions>;

/** What the allows of a set tell of the requests that they matched. */
export function knownConditions({ policies }: PolicySet): KnownByLine {
  const live = policies.filter(({ stage }) => stage === "live");
  return new Map(linesOf(live).flatMap(({ id, of }) => (of.effect === "allow" ? [[id, knownOf(of)]] : [])));
}

function knownOf(rule: Rule): KnownConditions {
  const known = new Set([
    ...[...rule.headers].map(([name, matcher]) => conditionText("header", name, matcher)),
    ...[...rule.query].map(([name, matcher]) => conditionText("query", name, matcher)),
    ...(rule.jwt === undefined ? [] : [tokenText(rule.jwt)]),
  ]);
  return { has: (condition) => known.has(condition), hosts: rule.hosts && new Set(rule.hosts) };
}

/** A condition word by word, to be compared. */
export function conditionText(kind: "header" | "query", name: string, matcher: unknown): string {
  return JSON.stringify([kind, name, matcher]);
}

/** A token condition word by word. */
export function tokenText({ provider, scopes, claims }: NonNullable<Rule["jwt"]>): string {
  return JSON.stringify(["token", provider, scopes, [...claims]]);
}

/** Whether every host of which the request had one is among the rule's. */
export function hostsHold({ hosts }: Pick<CompiledRule, "hosts">, known: KnownConditions | undefined): boolean {
  if (hosts === undefined) return true;
  return known?.hosts !== undefined && [...known.hosts].every((host) => hosts.has(host));
}
