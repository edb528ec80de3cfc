import { parseSpiffeId } from "../../../spiffe/index.ts";
import { type Caller, identityMatches } from "../../match/caller.ts";
import type { CallerSelector, Cidr, PolicySet, Workload } from "../../model/index.ts";

/** A principal of Envoy's RBAC filter, as JSON. */
export type Principal = Readonly<Record<string, unknown>>;

export const ANYBODY: Principal = { any: true };
const NOBODY: Principal = { not_id: { any: true } };
const ANONYMOUS: Principal = { not_id: { authenticated: {} } };

/** One of them; nobody where there is none. */
export const oneOf = (ids: readonly Principal[]): Principal =>
  ids.length === 0 ? NOBODY : ids.length === 1 ? (ids[0] ?? NOBODY) : { or_ids: { ids } };
const allOf = (ids: readonly Principal[]): Principal => ({ and_ids: { ids } });

const exact = (id: string): Principal => ({ authenticated: { principal_name: { exact: id } } });
const below = (prefix: string): Principal => ({ authenticated: { principal_name: { prefix } } });

/** Callers that no rule may let in, whatever it says: the system's own identities. */
export function systemCallers({ mesh }: PolicySet): Principal {
  return oneOf([mesh.trustDomain, ...mesh.federated].map((name) => below(`spiffe://${name}/cellwall/`)));
}

/** Who the entries match. `across` is what an allow may cross; absent for a deny, which knows no isolation. */
export function principalOf(
  from: readonly CallerSelector[],
  destination: Workload,
  set: PolicySet,
  across: readonly string[] | undefined,
): Principal {
  return oneOf(from.map((selector) => selectorPrincipal(selector, destination, set, across)));
}

function selectorPrincipal(
  selector: CallerSelector,
  destination: Workload,
  set: PolicySet,
  across: readonly string[] | undefined,
): Principal {
  const { addresses } = selector;
  const kept = (labels: ReadonlyMap<string, string>): boolean =>
    across === undefined || set.mesh.isolate.every((key) => across.includes(key) || isShared(key, labels, destination));
  const matches = (caller: Caller): boolean => identityMatches(selector, caller, true);
  const registered = set.workloads.filter(
    (workload) => matches({ kind: "registered", id: workload.identity, workload }) && kept(workload.labels),
  );
  const outside = kept(new Map());
  const base = oneOf([
    ...registered.map(({ identity }) => exact(identity.toString())),
    ...(outside ? set.mesh.federated.flatMap((name) => foreign(selector, name, matches)) : []),
    ...(outside && matches({ kind: "anonymous" }) ? [ANONYMOUS] : []),
  ]);
  return addresses === undefined ? base : allOf([base, oneOf(addresses.map(addressPrincipal))]);
}

function isShared(key: string, labels: ReadonlyMap<string, string>, destination: Workload): boolean {
  const value = labels.get(key);
  return value !== undefined && value === destination.labels.get(key);
}

function foreign(
  { spiffe }: CallerSelector,
  trustDomain: string,
  matches: (caller: Caller) => boolean,
): readonly Principal[] {
  if (spiffe !== undefined) {
    const id = spiffe.id.toString();
    const probe = spiffe.descendants ? parseSpiffeId(`${id}/x`) : spiffe.id;
    if (probe.trustDomain !== trustDomain || !matches({ kind: "foreign", id: probe })) return [];
    return [spiffe.descendants ? below(`${id}/`) : exact(id)];
  }
  return matches({ kind: "foreign", id: parseSpiffeId(`spiffe://${trustDomain}/x`) })
    ? [below(`spiffe://${trustDomain}/`)]
    : [];
}

function addressPrincipal({ text, prefixLength }: Cidr): Principal {
  return { direct_remote_ip: { address_prefix: text.split("/")[0] ?? "", prefix_len: prefixLength } };
}
