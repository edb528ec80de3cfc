import type { DraftCaller } from "../draft/draft.ts";
import { type DraftProtects, MESH_NAMESPACE } from "../draft/draft.ts";
import type { KnownWorkload, World } from "../draft/world.ts";
import { isRecord } from "../foreign-yaml.ts";
import { type LabelSelector, labelMaps, readSelector, selectorMatches } from "../kubernetes/label-selector.ts";

/** An endpoint selector, its keys sorted by what they speak of. */
export interface EndpointSelector {
  /** On the endpoint's own labels. */
  readonly labels: LabelSelector;
  /** On the namespace by name; none means the policy's own. */
  readonly namespace: LabelSelector;
  readonly namespaceLabels: LabelSelector;
  readonly account: LabelSelector;
}

const NAMESPACE = "io.kubernetes.pod.namespace";
const NAMESPACE_LABELS = "io.cilium.k8s.namespace.labels.";
const ACCOUNT = "io.cilium.k8s.policy.serviceaccount";

/** Reads an endpoint selector; `undefined` where it asks for something that no registry knows. */
export function readEndpointSelector(value: unknown): EndpointSelector | undefined {
  const selector = isRecord(value) ? readSelector(withoutSources(value)) : undefined;
  if (selector === undefined) return undefined;
  const of = (wanted: (key: string) => boolean): LabelSelector => selector.filter(({ key }) => wanted(key));
  const isPlain = (key: string): boolean => !/^(?:io\.kubernetes\.|io\.cilium\.|reserved:)/.test(key);
  const read = {
    labels: of(isPlain),
    namespace: of((key) => key === NAMESPACE),
    namespaceLabels: of((key) => key.startsWith(NAMESPACE_LABELS)).map((one) => ({
      ...one,
      key: one.key.slice(NAMESPACE_LABELS.length),
    })),
    account: of((key) => key === ACCOUNT),
  };
  const count = Object.values(read).reduce((sum, list) => sum + list.length, 0);
  return count === selector.length ? read : undefined;
}

/** `k8s:app` and `any:app` are the label `app`. */
function withoutSources(selector: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const plain = (key: string): string => key.replace(/^(?:k8s|any):/, "").replace(/^k8s\.(?=io\.)/, "");
  const { matchLabels, matchExpressions, ...others } = selector;
  return {
    ...others,
    ...(isRecord(matchLabels)
      ? { matchLabels: Object.fromEntries(Object.entries(matchLabels).map(([key, value]) => [plain(key), value])) }
      : {}),
    ...(Array.isArray(matchExpressions)
      ? {
          matchExpressions: matchExpressions.map((one: unknown) =>
            isRecord(one) && typeof one.key === "string" ? { ...one, key: plain(one.key) } : one,
          ),
        }
      : {}),
  };
}

/** Whether a workload is selected, by a policy of a namespace or, without one, of the cluster. */
export function selectsEndpoint(
  { labels, namespace, namespaceLabels, account }: EndpointSelector,
  workload: KnownWorkload,
  home: string | undefined,
  world: World,
): boolean {
  const inHome = home === undefined || workload.namespace === home;
  const anywhere = namespace.length + namespaceLabels.length > 0;
  return (
    (anywhere || inHome) &&
    selectorMatches(labels, workload.labels) &&
    selectorMatches(namespace, { [NAMESPACE]: workload.namespace }) &&
    selectorMatches(namespaceLabels, world.namespaces.get(workload.namespace) ?? {}) &&
    selectorMatches(account, { [ACCOUNT]: workload.serviceAccount ?? workload.name })
  );
}

/** The callers that a selector names: by labels where it speaks of those alone, else those of the registry. */
export function callersOfSelector(
  selector: EndpointSelector,
  home: string | undefined,
  world: World,
): readonly DraftCaller[] {
  const { labels, namespace, namespaceLabels, account } = selector;
  const [only] = namespace;
  const named =
    only?.operator === "In" && only.values.length === 1 && namespace.length === 1 ? only.values[0] : undefined;
  const place = namespace.length === 0 ? (home ?? "*") : named;
  if (place !== undefined && namespaceLabels.length + account.length === 0 && labels.length > 0)
    return labelMaps(labels).map((map) => ({ labels: map, namespace: place }));
  if (place === "*" && namespaceLabels.length + account.length === 0) return [{ anyone: "authenticated" }];
  return world.workloads
    .filter((workload) => selectsEndpoint(selector, workload, home, world))
    .map((workload) => ({ workload: `${workload.namespace}/${workload.name}` }));
}

/** A place for a policy, and what it protects there. */
export interface Protection {
  readonly home: string;
  readonly protects: DraftProtects;
}

/** What a policy of a namespace, or of the cluster, protects. */
export function protectionsOf(
  { labels, namespace, namespaceLabels, account }: EndpointSelector,
  home: string | undefined,
  world: World,
): readonly Protection[] {
  if (namespace.length + namespaceLabels.length + account.length > 0) {
    const selector = { labels, namespace, namespaceLabels, account };
    return world.workloads
      .filter(
        (workload) =>
          (home === undefined || workload.namespace === home) && selectsEndpoint(selector, workload, home, world),
      )
      .map((workload) => ({ home: workload.namespace, protects: { workload: workload.name } }));
  }
  const namespaces = home === undefined ? ("*" as const) : [home];
  if (labels.length === 0) return [{ home: MESH_NAMESPACE, protects: { namespaces } }];
  return labelMaps(labels).map((map) =>
    home === undefined
      ? { home: MESH_NAMESPACE, protects: { labels: map, namespaces } }
      : { home, protects: { labels: map } },
  );
}
