import { identityMatches } from "../../match/caller.ts";
import type { CallerSelector, PolicySet, Workload } from "../../model/index.ts";

/** Labels that select a workload and no other of its namespace; absent where its labels do not tell it from others. */
export function ownLabels(workload: Workload, { workloads }: PolicySet): Readonly<Record<string, string>> | undefined {
  const labels = [...workload.labels];
  const alike = workloads.filter(
    (other) =>
      other.namespace === workload.namespace && labels.every(([key, value]) => other.labels.get(key) === value),
  );
  return labels.length === 0 || alike.length > 1 ? undefined : Object.fromEntries(labels);
}

/** The registered workloads that entries match, isolation considered, and whether others than registered ones may match. */
export function registeredCallers(
  from: readonly CallerSelector[],
  destination: Workload,
  set: PolicySet,
  across: readonly string[] | undefined,
): readonly Workload[] {
  const open = across === undefined ? [] : set.mesh.isolate.filter((key) => !across.includes(key));
  return set.workloads.filter(
    (workload) =>
      from.some(
        (selector) =>
          selector.addresses === undefined &&
          identityMatches(selector, { kind: "registered", id: workload.identity, workload }, true),
      ) &&
      open.every(
        (key) => workload.labels.get(key) !== undefined && workload.labels.get(key) === destination.labels.get(key),
      ),
  );
}

/** Whether an entry is about registered callers only, and about nothing but who they are. */
export function isRegistered(
  { workload, labels, spiffe, anyone, addresses }: CallerSelector,
  { mesh }: PolicySet,
): boolean {
  if (addresses !== undefined || anyone === "anonymous") return false;
  return (
    workload !== undefined ||
    labels !== undefined ||
    anyone === "authenticated" ||
    spiffe?.id.trustDomain === mesh.trustDomain
  );
}
