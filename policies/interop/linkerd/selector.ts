import type { DraftProtects } from "../draft/draft.ts";
import type { Notes } from "../draft/notes.ts";
import type { World } from "../draft/world.ts";
import { labelMaps, readSelector } from "../kubernetes/label-selector.ts";
import type { Fields } from "../translate/fields.ts";
import type { Resource } from "./authorization.ts";

/** What a Server protects: by labels, or every workload of its namespace that the registry has where it selects all. */
export function protectsOf(
  spec: Fields,
  { namespace }: Resource,
  { workloads }: World,
  notes: Notes,
  construct: string,
): readonly DraftProtects[] {
  const selector = readSelector(spec.get("podSelector"));
  if (selector === undefined) {
    notes.add(spec.place(), construct, "unsupported", "only pods that are selected by labels are imported");
    return [];
  }
  if (selector.length > 0) return labelMaps(selector).map((labels) => ({ labels }));
  notes.add(spec.place(), construct, "narrower", "it is written for the workloads of the registry", {
    scope: "unregistered",
  });
  return workloads.filter((workload) => workload.namespace === namespace).map(({ name }) => ({ workload: name }));
}
