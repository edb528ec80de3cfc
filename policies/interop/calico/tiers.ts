import type { KnownWorkload, World } from "../draft/world.ts";
import type { CalicoPolicy, CalicoRule, CalicoTier } from "./policy.ts";
import type { CalicoDocuments } from "./read-policies.ts";

/** What one tier says of a callee. */
export interface TierRules {
  readonly rules: readonly CalicoRule[];
  readonly defaultAction: CalicoTier["defaultAction"];
}

/** The rules that judge a callee, tier by tier, in order; tiers that select it not are passed over. */
export function tiersOf(
  callee: KnownWorkload,
  { policies, tiers }: CalicoDocuments,
  world: World,
): readonly TierRules[] {
  const names = [...new Set([...tiers.map(({ name }) => name), ...policies.map(({ tier }) => tier)])];
  const tierOf = (name: string): CalicoTier =>
    tiers.find((one) => one.name === name) ?? {
      name,
      order: name === "default" ? 1_000_000 : Number.POSITIVE_INFINITY,
      defaultAction: "deny",
    };
  const byOrder = (
    a: { readonly order: number; readonly name: string },
    b: { readonly order: number; readonly name: string },
  ): number => (a.order === b.order ? (a.name < b.name ? -1 : 1) : a.order - b.order);
  return names
    .map(tierOf)
    .sort(byOrder)
    .flatMap(({ name, defaultAction }) => {
      const selecting = policies
        .filter((policy) => policy.tier === name && policy.ingress !== undefined && selects(policy, callee, world))
        .sort(byOrder);
      return selecting.length === 0
        ? []
        : [{ rules: selecting.flatMap(({ ingress }) => ingress ?? []), defaultAction }];
    });
}

function selects(
  { namespace, namespaceSelector, selector }: CalicoPolicy,
  callee: KnownWorkload,
  world: World,
): boolean {
  if (namespace !== undefined && namespace !== callee.namespace) return false;
  const labels = {
    "projectcalico.org/name": callee.namespace,
    "kubernetes.io/metadata.name": callee.namespace,
    ...world.namespaces.get(callee.namespace),
  };
  return namespaceSelector(labels) && selector(callee.labels);
}

/** Ports that are told apart: those the callee listens on; all as one where no rule speaks of ports. */
export function portsAt({ ports }: KnownWorkload, tiers: readonly TierRules[]): readonly (number | undefined)[] {
  const spans = tiers.flatMap(({ rules }) =>
    rules.flatMap(({ destination }) => [...(destination.ports ?? []), ...destination.notPorts]),
  );
  if (spans.length === 0) return [undefined];
  return (
    ports ?? [
      ...new Set(
        spans.flatMap(([from, to]) =>
          Array.from({ length: Math.min(1_024, to - from + 1) }, (_, index) => from + index),
        ),
      ),
    ]
  );
}
