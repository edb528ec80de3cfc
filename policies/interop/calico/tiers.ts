import type { KnownWorkload, World } from "../draft/world.ts";
import { numbersOf } from "./applies.ts";
import { endpointOf } from "./endpoint.ts";
import type { CalicoPolicy, CalicoRule, CalicoTier } from "./policy.ts";
import type { CalicoDocuments } from "./read-policies.ts";

/** What one tier says of a workload, in one direction. */
export interface TierRules {
  readonly rules: readonly CalicoRule[];
  readonly defaultAction: CalicoTier["defaultAction"];
}

/** The rules that judge a workload, tier by tier, in order; tiers that select it not are passed over. */
export function tiersOf(
  workload: KnownWorkload,
  direction: "ingress" | "egress",
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
        .filter((policy) => policy.tier === name && policy[direction] !== undefined && selects(policy, workload, world))
        .sort(byOrder);
      return selecting.length === 0
        ? []
        : [{ rules: selecting.flatMap((policy) => policy[direction] ?? []), defaultAction }];
    });
}

function selects(
  { namespace, namespaceSelector, selector }: CalicoPolicy,
  workload: KnownWorkload,
  world: World,
): boolean {
  if (namespace !== undefined && namespace !== workload.namespace) return false;
  const { namespaceLabels, labels } = endpointOf(workload, world);
  return namespaceSelector(namespaceLabels) && selector(labels);
}

/** Ports of a callee that are told apart. */
export interface Ports {
  /** `undefined` is all of them as one. */
  readonly ports: readonly (number | undefined)[];
  /** Whether there may be others, which no rule can name. */
  readonly others: boolean;
}

const MOST_PORTS = 1_024;

/** Those a callee listens on; where they are not known, those that rules name. All as one where no rule speaks of ports. */
export function portsAt(callee: KnownWorkload, tiers: readonly TierRules[]): Ports {
  const spans = tiers
    .flatMap(({ rules }) => rules.flatMap(({ destination: { ports = [], notPorts } }) => [...ports, ...notPorts]))
    .flatMap((span) => [numbersOf(span, callee)]);
  if (spans.length === 0) return { ports: [undefined], others: false };
  if (callee.ports !== undefined) return { ports: callee.ports, others: false };
  const named = spans.flatMap((span) =>
    span === undefined
      ? []
      : Array.from({ length: Math.min(MOST_PORTS, span[1] - span[0] + 1) }, (_, index) => span[0] + index),
  );
  return { ports: [...new Set(named)], others: true };
}
