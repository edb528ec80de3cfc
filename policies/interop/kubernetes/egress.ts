import type { DraftPolicy, DraftRule } from "../draft/draft.ts";
import type { Names } from "../draft/names.ts";
import type { Notes } from "../draft/notes.ts";
import { type KnownWorkload, nameOf, type World } from "../draft/world.ts";
import { selectorMatches } from "./label-selector.ts";
import type { NetworkPolicy } from "./network-policy.ts";
import { isPeer } from "./peers.ts";
import { portsOfRule } from "./ports.ts";

const AT_CALLEE =
  "what the caller may not reach is denied at each registered callee, whatever the callee's own policies say";
const OUT_OF_REACH = "destinations that are no registered workloads are out of reach of a sidecar at the callee";

/**
 * What callers may not reach, as denies at the workloads they call: a connection needs both its sides' consent, and a
 * sidecar decides at the callee only.
 */
export function egressDenies(
  policies: readonly NetworkPolicy[],
  world: World,
  names: Names,
  notes: Notes,
): readonly DraftPolicy[] {
  const restricting = policies.filter(({ egress }) => egress !== undefined);
  for (const { namespace, name, place, egress, pods } of restricting) {
    const construct = `NetworkPolicy ${namespace}/${name}: egress`;
    if (egress?.some(({ peers }) => peers.some(({ kind }) => kind === "block")) === true)
      notes.add(
        place,
        construct,
        "narrower",
        "registered callees are told by name; an `ipBlock` opens the way to none of them",
      );
    const callers = world.workloads.filter((one) => one.namespace === namespace && selectorMatches(pods, one.labels));
    for (const caller of callers)
      notes.add(place, construct, "narrower", AT_CALLEE, { scope: "egress", subject: nameOf(caller) });
    notes.add(place, construct, "unsupported", OUT_OF_REACH, { scope: "unregistered" });
  }
  return world.workloads.flatMap((callee) => {
    const deny = deniesAt(callee, restricting, world);
    if (deny.length === 0) return [];
    return [
      {
        namespace: callee.namespace,
        name: names.take(`egress-to-${callee.name}`),
        protects: { workload: callee.name },
        allow: [],
        deny,
      },
    ];
  });
}

function deniesAt(callee: KnownWorkload, policies: readonly NetworkPolicy[], world: World): readonly DraftRule[] {
  const refused: string[] = [];
  const rules: DraftRule[] = [];
  for (const caller of world.workloads) {
    const own = policies.filter(
      ({ namespace, pods }) => namespace === caller.namespace && selectorMatches(pods, caller.labels),
    );
    if (own.length === 0) continue;
    const allowed = own.flatMap(({ namespace, egress }) =>
      (egress ?? [])
        .filter(({ peers }) => isPeer(peers, namespace, callee, world))
        .map((rule) => portsOfRule(rule, [callee], () => undefined)),
    );
    if (allowed.includes("any")) continue;
    const ports = allowed.flatMap((one) => (one === "any" ? [] : one));
    const denied = ports.length === 0 ? undefined : callee.ports?.filter((port) => !ports.includes(port));
    if (denied === undefined) refused.push(nameOf(caller));
    else if (denied.length > 0)
      rules.push({ name: `egress-ports-${rules.length + 1}`, from: [{ workload: nameOf(caller) }], ports: denied });
  }
  if (refused.length === 0) return rules;
  return [{ name: "egress", from: refused.map((workload) => ({ workload })) }, ...rules];
}
