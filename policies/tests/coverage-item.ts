import { matcherText } from "../explain/matcher-text.ts";
import type { Rule, Span } from "../model/index.ts";
import type { PolicyLine } from "../reference/lines.ts";

/** What can be covered: a request line, or a condition of a rule. */
export type CoverageKind =
  | "line"
  | "header"
  | "query"
  | "jwt"
  | "hosts"
  | "ports"
  | "notBefore"
  | "notAfter"
  | "except"
  | "across";

/**
 * One line or condition of the live policies and what the cases have shown of it. A line is seen when it matches. A condition is seen true
 * when a line of its rule matches (of `except`: is kept from it by nothing else), and false when nothing but the condition keeps a line
 * from matching (of `except`: when the line matches). `across` is seen true only, by a match over that boundary.
 */
export interface CoverageItem {
  /** `<namespace>/<policy>/<rule>#<line>`, or `…#<kind> <name>` for a condition. */
  readonly id: string;
  readonly kind: CoverageKind;
  /** `<namespace>/<policy>` */
  readonly policy: string;
  readonly rule: string;
  /** The line's text, or the condition in words. */
  readonly text: string;
  readonly span: Span;
  readonly needs: readonly boolean[];
  readonly seen: readonly boolean[];
}

/** How much of the live policies the cases show. */
export interface Coverage {
  readonly items: readonly CoverageItem[];
  /** What there is to see: one a line, two a condition (one of `across`). */
  readonly total: number;
  readonly seen: number;
  /** Whole percent, rounded down; 100 where there is nothing to see. */
  readonly percent: number;
}

/** The id of a condition of a rule. */
export function conditionKey(line: Pick<PolicyLine, "policy" | "rule">, kind: CoverageKind, name: string): string {
  return `${line.policy}/${line.rule}#${kind}${name === "" ? "" : ` ${name}`}`;
}

/** A condition of a rule. */
export interface Condition {
  readonly kind: CoverageKind;
  readonly name: string;
  readonly text: string;
}

/** The conditions of a rule that coverage is about. */
export function conditionsOf(rule: Rule): readonly Condition[] {
  const one = (kind: CoverageKind, there: boolean, text: string): readonly Condition[] =>
    there ? [{ kind, name: "", text }] : [];
  return [
    ...[...rule.headers].map(
      ([name, matcher]) => ({ kind: "header", name, text: `header \`${name}\`, ${matcherText(matcher)}` }) as const,
    ),
    ...[...rule.query].map(
      ([name, matcher]) => ({ kind: "query", name, text: `query \`${name}\`, ${matcherText(matcher)}` }) as const,
    ),
    ...one("jwt", rule.jwt !== undefined, `a token of \`${rule.jwt?.provider}\``),
    ...one("hosts", rule.hosts !== undefined, `hosts ${rule.hosts?.join(", ")}`),
    ...one("ports", rule.ports !== undefined, `ports ${rule.ports?.join(", ")}`),
    ...one("notBefore", rule.notBefore !== undefined, `not before ${rule.notBefore?.toISOString()}`),
    ...one("notAfter", rule.notAfter !== undefined, `not after ${rule.notAfter?.toISOString()}`),
    ...one("except", rule.except !== undefined, "except"),
    ...rule.across.map((name) => ({ kind: "across", name, text: `across \`${name}\`` }) as const),
  ];
}
