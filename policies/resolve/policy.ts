import type { AccessPolicy, Rule } from "../model/index.ts";
import type { AllowSyntax, DenySyntax } from "../syntax/kinds/access-policy.ts";
import { checkRule } from "./check-rule.ts";
import type { Findings } from "./findings.ts";
import { type Gathered, mayLack, type Of } from "./gather.ts";
import { type ResolvedProtects, resolveProtects } from "./protects.ts";
import type { Registry } from "./registry.ts";
import { resolveRule } from "./rule.ts";
import { nameOf } from "./workload.ts";

/** Resolves all policies, live ones first, so that a candidate that withdraws finds its own. */
export function resolvePolicies(gathered: Gathered, registry: Registry, findings: Findings): readonly AccessPolicy[] {
  const live = new Map<string, AccessPolicy>();
  const candidates: AccessPolicy[] = [];
  for (const document of gathered.policies) {
    if (document.spec.stage?.value === "candidate") continue;
    live.set(nameOf(document), resolvePolicy(document, registry, findings));
  }
  for (const document of gathered.policies) {
    if (document.spec.stage?.value !== "candidate") continue;
    const withdraws = document.spec.action?.value === "withdraw";
    const candidate = withdraws
      ? withdrawal(document, live, gathered, findings)
      : resolvePolicy(document, registry, findings);
    if (candidate !== undefined) candidates.push(candidate);
  }
  return [...live.values(), ...candidates];
}

function withdrawal(
  document: Of<"AccessPolicy">,
  live: ReadonlyMap<string, AccessPolicy>,
  gathered: Gathered,
  findings: Findings,
): AccessPolicy | undefined {
  const withdrawn = live.get(nameOf(document));
  if (withdrawn !== undefined)
    return { ...withdrawn, stage: "candidate", action: "withdraw", allow: [], deny: [], span: document.span };
  if (!mayLack(gathered, "AccessPolicy")) {
    const message = `there is no live policy \`${nameOf(document)}\` to withdraw`;
    findings.report(
      "ERR_POLICY_UNKNOWN_POLICY",
      document.span,
      message,
      "a candidate withdraws the live policy of its own name",
    );
  }
  return undefined;
}

function resolvePolicy(document: Of<"AccessPolicy">, registry: Registry, findings: Findings): AccessPolicy {
  const { spec, namespace, name, span } = document;
  const nothing: ResolvedProtects = { protects: { namespaces: [namespace] }, workloads: [] };
  const { protects, workloads } =
    spec.protects === undefined ? nothing : resolveProtects(spec.protects, namespace, registry, findings);
  checkNames(document, findings);
  const rules = (effect: Rule["effect"], written: readonly (AllowSyntax | DenySyntax)[]): readonly Rule[] =>
    written.map((syntax) => {
      const rule = resolveRule(syntax, { effect, namespace, registry, findings });
      checkRule({ rule, syntax, workloads, trustDomain: registry.mesh.trustDomain, findings });
      return rule;
    });
  return {
    namespace,
    name,
    stage: spec.stage?.value ?? "live",
    action: "replace",
    ...(spec.owner === undefined ? {} : { owner: spec.owner.value }),
    protects,
    destinations: workloads.map(({ identity }) => identity.toString()).sort(),
    allow: rules("allow", spec.allow?.value ?? []),
    deny: rules("deny", spec.deny?.value ?? []),
    span,
  };
}

function checkNames({ spec }: Of<"AccessPolicy">, findings: Findings): void {
  const lines = new Map<string, number>();
  for (const { name } of [...(spec.allow?.value ?? []), ...(spec.deny?.value ?? [])]) {
    const first = lines.get(name.value);
    if (first === undefined) lines.set(name.value, name.span.line);
    else
      findings.report(
        "ERR_POLICY_DUPLICATE_NAME",
        name.span,
        `the rule \`${name.value}\` is in this policy a second time`,
        `the first is on line ${first}; give each its own name`,
      );
  }
}
