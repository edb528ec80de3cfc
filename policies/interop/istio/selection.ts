import { type DraftProtects, MESH_NAMESPACE } from "../draft/draft.ts";
import type { KnownWorkload } from "../draft/world.ts";
import type { IstioPolicy } from "./policy.ts";
import { labelsOfTarget, type Services, type Target, whyNotTold } from "./targets.ts";

/** A policy with what it holds for told: once for each target, where it names some. */
export interface PlacedPolicy extends IstioPolicy {
  readonly via: Target | undefined;
  /** Why its target's workloads cannot be told: it then stands for its whole namespace. */
  readonly untold: string | undefined;
}

/** One policy for each of its targets, with the labels of the target's workloads. */
export function placed(policy: IstioPolicy, services: Services): readonly PlacedPolicy[] {
  if (policy.targets === undefined) return [{ ...policy, via: undefined, untold: undefined }];
  return policy.targets.map((via) => {
    const labels = labelsOfTarget(via, policy.namespace, services);
    return { ...policy, labels, via, untold: labels === undefined ? whyNotTold(via, policy.namespace) : undefined };
  });
}

/** Whether a policy holds for a registered workload. */
export function selects(
  { namespace, labels, via }: PlacedPolicy,
  workload: KnownWorkload,
  rootNamespace: string,
): boolean {
  const everywhere = namespace === rootNamespace && via === undefined;
  if (!everywhere && namespace !== workload.namespace) return false;
  return Object.entries(labels ?? {}).every(([key, value]) => workload.labels[key] === value);
}

/** What a policy protects, and the namespace that it must be in to do so. */
export function protectionOf(
  { namespace, labels, via }: PlacedPolicy,
  rootNamespace: string,
): { readonly namespace: string; readonly protects: DraftProtects } {
  const root = namespace === rootNamespace && via === undefined;
  if (labels !== undefined && !root) return { namespace, protects: { labels } };
  const namespaces = root ? ("*" as const) : [namespace];
  return { namespace: MESH_NAMESPACE, protects: { namespaces, ...(labels === undefined ? {} : { labels }) } };
}
