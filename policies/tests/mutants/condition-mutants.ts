import type { Matcher, Rule, Span } from "../../model/index.ts";
import type { CoverageKind } from "../coverage-item.ts";
import { selectorListChanges } from "./caller-mutants.ts";
import { matcherChanges } from "./matcher-mutants.ts";
import type { RuleChange } from "./mutant.ts";

/** Where a condition of the rule stands. */
export type SpanOf = (kind: CoverageKind, name?: string) => Span;

/** Changes of a rule's conditions. */
export function conditionChanges(rule: Rule, spanOf: SpanOf): readonly RuleChange[] {
  return [
    ...matcherMapChanges(rule, "headers", (name) => spanOf("header", name)),
    ...matcherMapChanges(rule, "query", (name) => spanOf("query", name)),
    ...listChanges(rule, "hosts", spanOf("hosts")),
    ...listChanges(rule, "ports", spanOf("ports")),
    ...dropped(rule, "notBefore", spanOf("notBefore")),
    ...dropped(rule, "notAfter", spanOf("notAfter")),
    ...tokenChanges(rule, spanOf("jwt")),
    ...exceptChanges(rule, spanOf("except")),
    ...rule.across.map((key) => ({
      operator: "drop-across" as const,
      text: `no longer cross \`${key}\``,
      span: spanOf("across", key),
      edited: { ...rule, across: rule.across.filter((one) => one !== key) },
    })),
    ...(rule.always
      ? [
          {
            operator: "drop-always" as const,
            text: "drop `always`",
            span: rule.span,
            edited: { ...rule, always: false },
          },
        ]
      : []),
  ];
}

function matcherMapChanges(
  rule: Rule,
  key: "headers" | "query",
  spanOf: (name: string) => Span,
): readonly RuleChange[] {
  const what = key === "headers" ? "header" : "query parameter";
  return mapChanges(rule[key], what).map(({ name, map, operator, text }) => ({
    operator,
    text,
    span: spanOf(name),
    edited: { ...rule, [key]: map },
  }));
}

interface MapChange {
  readonly name: string;
  readonly operator: RuleChange["operator"];
  readonly text: string;
  readonly map: ReadonlyMap<string, Matcher>;
}

function mapChanges(map: ReadonlyMap<string, Matcher>, what: string): readonly MapChange[] {
  return [...map].flatMap(([name, matcher]): readonly MapChange[] => [
    {
      name,
      operator: "drop-condition",
      text: `drop the condition on the ${what} \`${name}\``,
      map: new Map([...map].filter(([one]) => one !== name)),
    },
    ...matcherChanges(matcher).map(({ operator, text, edited }) => ({
      name,
      operator,
      text: `${text} of the ${what} \`${name}\``,
      map: new Map([...map, [name, edited]]),
    })),
  ]);
}

function dropped(
  rule: Rule,
  key: "hosts" | "ports" | "notBefore" | "notAfter" | "jwt",
  span: Span,
): readonly RuleChange[] {
  const { [key]: there, ...rest } = rule;
  if (there === undefined) return [];
  return [{ operator: "drop-condition", text: `drop \`${key}\``, span, edited: rest }];
}

function listChanges(rule: Rule, key: "hosts" | "ports", span: Span): readonly RuleChange[] {
  const values: readonly (string | number)[] = rule[key] ?? [];
  const without = (value: string | number): Rule => ({
    ...rule,
    [key]: values.filter((one) => one !== value),
  });
  const fewer = values.length < 2 ? [] : values;
  return [
    ...dropped(rule, key, span),
    ...fewer.map((value) => ({
      operator: "drop-value" as const,
      text: `drop \`${value}\` from \`${key}\``,
      span,
      edited: without(value),
    })),
  ];
}

function tokenChanges(rule: Rule, span: Span): readonly RuleChange[] {
  const { jwt } = rule;
  if (jwt === undefined) return [];
  const scopes = jwt.scopes.map((scope) => ({
    operator: "drop-condition" as const,
    text: `drop the scope \`${scope}\``,
    span,
    edited: { ...rule, jwt: { ...jwt, scopes: jwt.scopes.filter((one) => one !== scope) } },
  }));
  const claims = mapChanges(jwt.claims, "claim").map(({ operator, text, map }) => ({
    operator,
    text,
    span,
    edited: { ...rule, jwt: { ...jwt, claims: map } },
  }));
  return [...dropped(rule, "jwt", span), ...scopes, ...claims];
}

function exceptChanges(rule: Rule, span: Span): readonly RuleChange[] {
  const { except, ...bare } = rule;
  if (except === undefined) return [];
  const { from, requests } = except;
  const changes: RuleChange[] = [{ operator: "drop-except", text: "drop `except`", span, edited: bare }];
  if (from !== undefined && requests !== undefined)
    changes.push(
      { operator: "drop-except", text: "drop `from` of `except`", span, edited: { ...bare, except: { requests } } },
      { operator: "drop-except", text: "drop `requests` of `except`", span, edited: { ...bare, except: { from } } },
    );
  for (const { operator, text, edited } of selectorListChanges(from ?? []))
    changes.push({
      operator,
      text: `${text} in \`except\``,
      span,
      edited: { ...bare, except: { ...except, from: edited } },
    });
  if (requests !== undefined && requests.length > 1)
    for (const line of requests)
      changes.push({
        operator: "drop-except",
        text: `drop \`${line.text}\` of \`except\``,
        span: line.span,
        edited: { ...bare, except: { ...except, requests: requests.filter((one) => one !== line) } },
      });
  return changes;
}
