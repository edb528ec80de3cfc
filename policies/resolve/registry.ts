import { nearest } from "../diagnostics/nearest.ts";
import type { Mesh, Node, Span, Workload, WorkloadName } from "../model/index.ts";
import type { WorkloadReference } from "../syntax/values.ts";
import type { Findings } from "./findings.ts";
import { type Gathered, mayLack } from "./gather.ts";
import { type LabelSelector, selects } from "./labels.ts";
import { type ResolvedMesh, resolveMesh } from "./mesh.ts";
import { resolveNode } from "./node.ts";
import { nameOf, type ResolvedWorkload, resolveWorkload } from "./workload.ts";

/** Everything that policies refer to. */
export interface Registry {
  readonly mesh: Mesh;
  /** False where the Mesh is missing or has errors: nothing about trust domains can be said then. */
  readonly meshKnown: boolean;
  readonly nodes: readonly Node[];
  readonly resolved: readonly ResolvedWorkload[];
  readonly workloads: ReadonlyMap<string, Workload>;
  readonly byNamespace: ReadonlyMap<string, readonly Workload[]>;
  /** Whether workloads are missing because they had errors, so that "matches nothing" would blame the wrong text. */
  readonly incomplete: boolean;
  /** Finds a workload by reference and reports an unknown one; undefined also for one that has errors itself. */
  find(reference: WorkloadReference, namespace: string, span: Span): Workload | undefined;
}

const MAX_COMPARISONS = 1_000_000;

/** Reads mesh, nodes and workloads. */
export function buildRegistry(gathered: Gathered, anywhere: Span, findings: Findings): Registry {
  const mesh: ResolvedMesh = resolveMesh(gathered, anywhere, findings);
  const resolved = gathered.workloads.flatMap((document) => resolveWorkload(document, mesh, findings) ?? []);
  const workloads = new Map(resolved.map(({ workload }) => [nameOf(workload), workload]));
  const broken = gathered.workloads.map(nameOf).filter((name) => !workloads.has(name));
  const excused = (name: string): boolean =>
    broken.includes(name) || gathered.invalid.has(`Workload/${name}`) || gathered.invalid.has("?/");
  // Suggesting a name costs as much as there are names; a set that lacks a whole folder must not take minutes.
  let comparisons = MAX_COMPARISONS;
  return {
    mesh: mesh.mesh,
    meshKnown: mesh.known,
    nodes: gathered.nodes.map(resolveNode),
    resolved,
    workloads,
    byNamespace: byNamespace(workloads.values()),
    incomplete: broken.length > 0 || mayLack(gathered, "Workload"),
    find(reference, namespace, span) {
      const name = nameOf({ namespace, ...reference });
      const found = workloads.get(name);
      if (found === undefined && !excused(name)) {
        comparisons -= workloads.size;
        const known = comparisons > 0 ? [...workloads.keys()] : [];
        reportUnknown(name, namespace, known, span, findings);
      }
      return found;
    },
  };
}

function byNamespace(workloads: Iterable<Workload>): ReadonlyMap<string, readonly Workload[]> {
  const found = new Map<string, Workload[]>();
  for (const workload of workloads) {
    const there = found.get(workload.namespace);
    if (there === undefined) found.set(workload.namespace, [workload]);
    else there.push(workload);
  }
  return found;
}

function reportUnknown(
  name: string,
  namespace: string,
  known: readonly string[],
  span: Span,
  findings: Findings,
): void {
  const bare = name.slice(name.indexOf("/") + 1);
  const elsewhere = known.find((one) => one.endsWith(`/${bare}`));
  const close = elsewhere ?? nearest(name, known);
  const shown = close?.startsWith(`${namespace}/`) ? close.slice(namespace.length + 1) : close;
  findings.report(
    "ERR_POLICY_UNKNOWN_WORKLOAD",
    span,
    `there is no workload \`${name}\``,
    shown === undefined ? undefined : `did you mean \`${shown}\`?`,
  );
}

/** Workloads of these namespaces, `"*"` for all. */
export function workloadsIn(
  { workloads, byNamespace }: Registry,
  namespaces: readonly string[] | "*",
): readonly Workload[] {
  if (namespaces === "*" || namespaces.includes("*")) return [...workloads.values()];
  return namespaces.flatMap((namespace) => byNamespace.get(namespace) ?? []);
}

/** Workloads of a namespace (`"*"`: of all) whose labels pass. */
export function workloadsWith(registry: Registry, selector: LabelSelector, namespace: string): readonly Workload[] {
  return workloadsIn(registry, [namespace]).filter(({ labels }) => selects(selector, labels));
}

/** A workload's name as the model has it. */
export function workloadName({ namespace, name }: WorkloadReference, own: string): WorkloadName {
  return { namespace: namespace ?? own, name };
}
