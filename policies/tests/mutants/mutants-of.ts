import type { AccessPolicy, PolicySet, Rule, Span } from "../../model/index.ts";
import type { Document } from "../../syntax/document.ts";
import { conditionSpans } from "../condition-spans.ts";
import { conditionKey } from "../coverage-item.ts";
import { callerChanges } from "./caller-mutants.ts";
import { conditionChanges, type SpanOf } from "./condition-mutants.ts";
import { lineChanges } from "./line-mutants.ts";
import type { Mutant, RuleChange } from "./mutant.ts";

/** Every mutant of the live policies of a set, of its workloads and of its mesh, in the order of the texts. */
export function mutantsOf(set: PolicySet, documents: readonly Document[]): readonly Mutant[] {
  const spans = conditionSpans(documents);
  const live = set.policies.filter(({ stage, destinations }) => stage === "live" && destinations.length > 0);
  return [
    ...live.flatMap((policy) => policyMutants(policy, spans)),
    ...workloadMutants(set),
    ...meshMutants(set, live),
  ];
}

function policyMutants(policy: AccessPolicy, spans: ReadonlyMap<string, Span>): readonly Mutant[] {
  const of = `${policy.namespace}/${policy.name}`;
  const rules = [...policy.allow, ...policy.deny];
  const whole: readonly Mutant[] =
    rules.length < 2
      ? []
      : [
          {
            operator: "drop-policy",
            of,
            text: "drop the policy",
            span: policy.span,
            change: { kind: "policy", policy, edited: undefined },
          },
        ];
  return [...whole, ...rules.flatMap((rule) => ruleMutants(policy, rule, spans))];
}

function ruleMutants(policy: AccessPolicy, rule: Rule, spans: ReadonlyMap<string, Span>): readonly Mutant[] {
  const name = `${policy.namespace}/${policy.name}`;
  const spanOf: SpanOf = (kind, part = "") =>
    spans.get(conditionKey({ policy: name, rule: rule.name }, kind, part)) ?? rule.span;
  const changes = [...wholeRule(rule), ...lineChanges(rule), ...callerChanges(rule), ...conditionChanges(rule, spanOf)];
  return changes.map(({ operator, text, span, edited }) => ({
    operator,
    of: `${name}/${rule.name}`,
    text,
    span,
    change: { kind: "policy", policy, edited: withRule(policy, rule, edited), rule, editedRule: edited },
  }));
}

/** A rule of one line goes with its line. */
function wholeRule(rule: Rule): readonly RuleChange[] {
  if (rule.requests?.length === 1) return [];
  return [{ operator: "drop-rule", text: "drop the rule", span: rule.span, edited: undefined }];
}

function withRule(policy: AccessPolicy, rule: Rule, edited: Rule | undefined): AccessPolicy {
  const rules = policy[rule.effect].flatMap((one) => (one === rule ? (edited ?? []) : one));
  return { ...policy, [rule.effect]: rules };
}

function workloadMutants(set: PolicySet): readonly Mutant[] {
  return set.workloads
    .filter(({ mode }) => mode === "enforce")
    .map((workload) => ({
      operator: "monitor-mode",
      of: `${workload.namespace}/${workload.name}`,
      text: "let the workload only monitor",
      span: workload.span,
      change: { kind: "workload", workload, edited: { ...workload, mode: "monitor" } },
    }));
}

function meshMutants({ mesh, workloads }: PolicySet, live: readonly AccessPolicy[]): readonly Mutant[] {
  const span = live[0]?.span ?? workloads[0]?.span;
  if (span === undefined) return [];
  return mesh.isolate.map((label) => ({
    operator: "drop-isolation",
    of: label,
    text: `no longer isolate by \`${label}\``,
    span,
    change: { kind: "mesh", edited: { ...mesh, isolate: mesh.isolate.filter((one) => one !== label) } },
  }));
}
