import { nearest } from "../diagnostics/nearest.ts";
import type { Protects, Span, Workload } from "../model/index.ts";
import type { AccessPolicySyntax } from "../syntax/kinds/access-policy.ts";
import type { Findings } from "./findings.ts";
import { selectorOf, selects } from "./labels.ts";
import { type Registry, workloadName, workloadsIn } from "./registry.ts";

/** The one namespace whose policies may protect workloads of others. */
export const MESH_NAMESPACE = "mesh";

/** What a policy protects, and the workloads that it selects. */
export interface ResolvedProtects {
  readonly protects: Protects;
  readonly workloads: readonly Workload[];
}

/** Resolves `protects` of a policy in a namespace. */
export function resolveProtects(
  spec: NonNullable<AccessPolicySyntax["protects"]>,
  own: string,
  registry: Registry,
  findings: Findings,
): ResolvedProtects {
  const namespaces = namespacesOf(spec, own, registry, findings);
  if (spec.workload !== undefined) return protectsOne(spec.workload, own, registry, findings);
  const selector = spec.labels === undefined ? undefined : selectorOf(spec.labels);
  const workloads = workloadsIn(registry, namespaces).filter(
    ({ labels }) => selector === undefined || selects(selector, labels),
  );
  if (workloads.length === 0 && !registry.incomplete)
    reportNothing(spec.labels?.span ?? spec.span, namespaces, findings);
  return { protects: selector === undefined ? { namespaces } : { labels: selector, namespaces }, workloads };
}

function reportNothing(span: Span, namespaces: Protects["namespaces"], findings: Findings): void {
  const place = namespaces === "*" ? "" : ` of ${namespaces.map((one) => `\`${one}\``).join(", ")}`;
  findings.report("WARN_POLICY_MATCHES_NOTHING", span, `the policy protects nothing: no workload${place} is selected`);
}

function protectsOne(
  { value, span }: NonNullable<NonNullable<AccessPolicySyntax["protects"]>["workload"]>,
  own: string,
  registry: Registry,
  findings: Findings,
): ResolvedProtects {
  const workload = workloadName(value, own);
  const protects = { workload, namespaces: [own] };
  if (workload.namespace !== own) {
    const hint =
      own === MESH_NAMESPACE ? "say `namespaces:`, and select by `labels`" : "write the policy in that namespace";
    findings.report(
      "ERR_POLICY_NAMESPACE",
      span,
      `a policy of \`${own}\` cannot protect a workload of \`${workload.namespace}\``,
      hint,
    );
    return { protects, workloads: [] };
  }
  const found = registry.find(value, own, span);
  return { protects, workloads: found === undefined ? [] : [found] };
}

function namespacesOf(
  { namespaces }: NonNullable<AccessPolicySyntax["protects"]>,
  own: string,
  registry: Registry,
  findings: Findings,
): Protects["namespaces"] {
  if (namespaces === undefined) return [own];
  if (own !== MESH_NAMESPACE) {
    const hint = `remove it: the policy protects workloads of \`${own}\``;
    findings.report(
      "ERR_POLICY_NAMESPACE",
      namespaces.span,
      `only policies of the namespace \`${MESH_NAMESPACE}\` may say \`namespaces\``,
      hint,
    );
    return [own];
  }
  const known = [...registry.byNamespace.keys()];
  for (const { value, span } of namespaces.value) {
    if (value === "*" || known.includes(value) || registry.incomplete) continue;
    const close = nearest(value, known);
    findings.report(
      "WARN_POLICY_MATCHES_NOTHING",
      span,
      `the namespace \`${value}\` has no workloads`,
      close && `did you mean \`${close}\`?`,
    );
  }
  return namespaces.value.some(({ value }) => value === "*")
    ? "*"
    : [...new Set(namespaces.value.map(({ value }) => value))];
}
