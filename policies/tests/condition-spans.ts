import type { Span } from "../model/index.ts";
import type { Document } from "../syntax/document.ts";
import type { AllowSyntax, DenySyntax } from "../syntax/kinds/access-policy.ts";
import { conditionKey } from "./coverage-item.ts";

type RuleSyntax = AllowSyntax | DenySyntax;

/** Where each condition of the live policies stands, by the ids that `coverageOf` uses. */
export function conditionSpans(documents: readonly Document[]): ReadonlyMap<string, Span> {
  const spans = new Map<string, Span>();
  for (const document of documents) {
    if (document.kind !== "AccessPolicy" || document.spec.stage?.value === "candidate") continue;
    const policy = `${document.namespace}/${document.name}`;
    for (const rule of [...(document.spec.allow?.value ?? []), ...(document.spec.deny?.value ?? [])])
      addRule(rule, { policy, rule: rule.name.value }, spans);
  }
  return spans;
}

function addRule(
  rule: RuleSyntax,
  line: { readonly policy: string; readonly rule: string },
  spans: Map<string, Span>,
): void {
  for (const { key } of rule.headers?.value ?? []) spans.set(conditionKey(line, "header", key.text), key.span);
  for (const { key } of rule.query?.value ?? []) spans.set(conditionKey(line, "query", key.text), key.span);
  for (const kind of ["jwt", "hosts", "ports", "notBefore", "notAfter", "except"] as const) {
    const span = rule.keys.get(kind);
    if (span !== undefined) spans.set(conditionKey(line, kind, ""), span);
  }
  const across = "across" in rule ? rule.across : undefined;
  for (const { value, span } of across?.value ?? []) spans.set(conditionKey(line, "across", value), span);
}
