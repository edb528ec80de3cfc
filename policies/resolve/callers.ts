import { isSystemId, type SpiffeId } from "../../spiffe/index.ts";
import { spiffeMatches } from "../match/caller.ts";
import type { CallerSelector, Span } from "../model/index.ts";
import type { CallerSelectorSyntax } from "../syntax/kinds/selectors.ts";
import type { Located } from "../syntax/readers.ts";
import type { Findings } from "./findings.ts";
import { selectorOf } from "./labels.ts";
import { type Registry, workloadName, workloadsWith } from "./registry.ts";

/** Resolves a `from` list against the registry; `namespace` is the policy's. */
export function resolveCallers(
  from: Located<readonly CallerSelectorSyntax[]> | undefined,
  namespace: string,
  registry: Registry,
  findings: Findings,
): readonly CallerSelector[] | undefined {
  return from?.value.map((entry) => resolveCaller(entry, namespace, registry, findings));
}

function resolveCaller(
  entry: CallerSelectorSyntax,
  own: string,
  registry: Registry,
  findings: Findings,
): CallerSelector {
  const { workload, labels, namespace, spiffe, trustDomain, anyone, addresses, span } = entry;
  const where = namespace?.value ?? own;
  if (workload !== undefined) registry.find(workload.value, own, workload.span);
  if (labels !== undefined) checkLabels(entry, where, registry, findings);
  if (spiffe !== undefined) checkSpiffe(spiffe, registry, findings);
  if (trustDomain !== undefined) checkTrustDomain(trustDomain.value, trustDomain.span, registry, findings);
  return {
    ...(workload === undefined ? {} : { workload: workloadName(workload.value, own) }),
    ...(labels === undefined ? {} : { labels: selectorOf(labels), namespace: where }),
    ...(spiffe === undefined ? {} : { spiffe: spiffe.value }),
    ...(trustDomain === undefined ? {} : { trustDomain: trustDomain.value }),
    ...(anyone === undefined ? {} : { anyone: anyone.value }),
    ...(addresses === undefined ? {} : { addresses: addresses.value.map(({ value }) => value) }),
    span,
  };
}

function checkLabels(
  { labels, namespace }: CallerSelectorSyntax,
  where: string,
  registry: Registry,
  findings: Findings,
): void {
  if (labels === undefined || registry.incomplete) return;
  const selector = selectorOf(labels);
  if (workloadsWith(registry, selector, where).length > 0) return;
  const others = namespace === undefined ? workloadsWith(registry, selector, "*") : [];
  const hint =
    others.length === 0
      ? undefined
      : `such workloads are in ${[...new Set(others.map((one) => one.namespace))].map((one) => `\`${one}\``).join(", ")}; add \`namespace:\``;
  const place = where === "*" ? "" : ` of the namespace \`${where}\``;
  findings.report("WARN_POLICY_MATCHES_NOTHING", labels.span, `no workload${place} has these labels`, hint);
}

function checkSpiffe(
  { value, span }: NonNullable<CallerSelectorSyntax["spiffe"]>,
  registry: Registry,
  findings: Findings,
): void {
  const { id, descendants } = value;
  if (isSystemId(id) || (descendants && /^\/cellwall$/.test(id.path) && id.trustDomain === registry.mesh.trustDomain)) {
    findings.report(
      "ERR_POLICY_SYSTEM_IDENTITY",
      span,
      `\`${id}\` belongs to the system, which never calls a workload`,
      "name a workload",
    );
    return;
  }
  if (!registry.meshKnown) return;
  if (id.trustDomain !== registry.mesh.trustDomain) {
    checkTrustDomain(id.trustDomain, span, registry, findings);
    return;
  }
  const known = [...registry.workloads.values()].some(({ identity }) => spiffeMatches(value, identity));
  if (!known && !registry.incomplete)
    findings.report(
      "WARN_POLICY_MATCHES_NOTHING",
      span,
      "no workload has such an identity, and callers that are not registered are denied",
      "register a Workload with it",
    );
}

function checkTrustDomain(
  trustDomain: SpiffeId["trustDomain"],
  span: Span,
  { mesh, meshKnown }: Registry,
  findings: Findings,
): void {
  if (!meshKnown || mesh.federated.includes(trustDomain)) return;
  if (trustDomain === mesh.trustDomain)
    findings.report(
      "ERR_POLICY_NOT_FEDERATED",
      span,
      `\`${trustDomain}\` is the own trust domain`,
      "write `anyone: authenticated`, or better: name workloads",
    );
  else
    findings.report(
      "ERR_POLICY_NOT_FEDERATED",
      span,
      `\`${trustDomain}\` is not federated`,
      `add \`- trustDomain: ${trustDomain}\` to \`federation\` of the Mesh`,
    );
}
