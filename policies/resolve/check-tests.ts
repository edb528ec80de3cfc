import { nearest } from "../diagnostics/nearest.ts";
import type { AccessPolicy } from "../model/index.ts";
import type { GuardrailPartySyntax } from "../syntax/kinds/guardrail.ts";
import type { ScalarNode } from "../syntax/tree.ts";
import type { Findings } from "./findings.ts";
import { type Gathered, mayLack, type Of } from "./gather.ts";
import { MESH_NAMESPACE } from "./protects.ts";
import type { Registry } from "./registry.ts";

/** Checks what tests and guardrails refer to; they are run elsewhere. */
export function checkTests(
  gathered: Gathered,
  registry: Registry,
  policies: readonly AccessPolicy[],
  findings: Findings,
): void {
  const rules = new Set(
    policies.flatMap((policy) =>
      [...policy.allow, ...policy.deny].map((rule) => `${policy.namespace}/${policy.name}/${rule.name}`),
    ),
  );
  for (const test of gathered.tests) {
    registry.find(test.spec.to.value, test.namespace, test.spec.to.span);
    for (const { from, claims } of test.spec.cases.value) {
      if (from.value.kind === "workload") registry.find(from.value.workload, test.namespace, from.span);
      for (const { key } of claims?.value ?? []) checkProvider(key, registry, findings);
    }
    if (!mayLack(gathered, "AccessPolicy")) checkRules(test, rules, findings);
  }
  for (const guardrail of gathered.guardrails) checkGuardrail(guardrail, registry, findings);
}

function checkRules({ spec, namespace }: Of<"PolicyTest">, rules: ReadonlySet<string>, findings: Findings): void {
  for (const { rule } of spec.cases.value) {
    if (rule === undefined) continue;
    const name = rule.value.length === 3 ? rule.value.join("/") : `${namespace}/${rule.value.join("/")}`;
    if (rules.has(name)) continue;
    const close = nearest(name, [...rules]);
    findings.report(
      "ERR_POLICY_UNKNOWN_RULE",
      rule.span,
      `there is no rule \`${name}\``,
      close && `did you mean \`${close}\`?`,
    );
  }
}

/** A case may carry tokens of the mesh's providers only. */
function checkProvider({ text, span }: ScalarNode, registry: Registry, findings: Findings): void {
  const known = [...registry.mesh.jwtProviders.keys()];
  if (!registry.meshKnown || known.includes(text)) return;
  const close = nearest(text, known);
  const hint = close === undefined ? "add it to `jwtProviders` of the Mesh" : `did you mean \`${close}\`?`;
  findings.report("ERR_POLICY_UNKNOWN_PROVIDER", span, `the Mesh has no JWT provider \`${text}\``, hint);
}

function checkGuardrail({ spec, namespace, span }: Of<"Guardrail">, registry: Registry, findings: Findings): void {
  const parties: GuardrailPartySyntax[] = [];
  if (namespace !== MESH_NAMESPACE)
    findings.report(
      "ERR_POLICY_NAMESPACE",
      span,
      `a Guardrail lives in the namespace \`${MESH_NAMESPACE}\``,
      `write \`metadata: { name: …, namespace: ${MESH_NAMESPACE} }\``,
    );
  for (const { from, to, stopAt } of spec.never?.value ?? [])
    parties.push(from, to, ...(stopAt === undefined ? [] : [stopAt]));
  for (const { from, to } of spec.only?.value ?? []) parties.push(from, to);
  for (const { workload } of parties)
    if (workload !== undefined) registry.find(workload.value, namespace, workload.span);
}
