import type { DraftMatcher, DraftProtects } from "../draft/draft.ts";
import type { Notes } from "../draft/notes.ts";
import type { World } from "../draft/world.ts";
import type { Fields } from "../translate/fields.ts";
import type { Resource } from "./authorization.ts";

/** What a Server protects: by labels where it selects by those, else the workloads of the registry that it selects. */
export function protectsOf(
  spec: Fields,
  { namespace }: Resource,
  world: World,
  notes: Notes,
  construct: string,
): readonly DraftProtects[] {
  const selector = spec.map("podSelector");
  if (selector === undefined) {
    notes.add(spec.place(), construct, "unsupported", "only pods that are selected by labels are imported");
    return [];
  }
  const wanted = selector.map("matchLabels");
  const labels = (wanted?.unknown([]) ?? []).map((key) => [key, String(wanted?.get(key))] as const);
  const expressions = selector.maps("matchExpressions");
  if (expressions.length === 0 && labels.length > 0) return [{ labels: Object.fromEntries<DraftMatcher>(labels) }];
  return world.workloads
    .filter((workload) => workload.namespace === namespace)
    .filter((workload) => labels.every(([key, value]) => workload.labels[key] === value))
    .filter((workload) => expressions.every((expression) => holds(expression, workload.labels)))
    .map(({ name }) => ({ workload: name }));
}

/** One expression of a Kubernetes selector; a label that is missing is in no list. */
function holds(expression: Fields, labels: Readonly<Record<string, string>>): boolean {
  const key = expression.text("key") ?? "";
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined;
  const values = expression.texts("values");
  switch (expression.text("operator")) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
    default:
      throw expression.invalid("operator", "is none of In, NotIn, Exists, DoesNotExist");
  }
}
