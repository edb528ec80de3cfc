import type { DraftMatcher } from "../draft/draft.ts";
import { isRecord } from "../foreign-yaml.ts";

/** One requirement on a label. */
interface Requirement {
  readonly key: string;
  readonly operator: "In" | "NotIn" | "Exists" | "DoesNotExist";
  readonly values: readonly string[];
}

/** A Kubernetes label selector; the empty one selects everything. */
export type LabelSelector = readonly Requirement[];

/** Reads `matchLabels` and `matchExpressions`; absent where it is neither. */
export function readSelector(value: unknown): LabelSelector | undefined {
  if (!isRecord(value)) return undefined;
  if (Object.keys(value).some((key) => key !== "matchLabels" && key !== "matchExpressions")) return undefined;
  const labels = isRecord(value.matchLabels) ? Object.entries(value.matchLabels) : [];
  const expressions = Array.isArray(value.matchExpressions) ? value.matchExpressions.map(readExpression) : [];
  if (expressions.some((one) => one === undefined)) return undefined;
  return [
    ...labels.map(([key, text]): Requirement => ({ key, operator: "In", values: [String(text)] })),
    ...expressions.flatMap((one) => one ?? []),
  ];
}

function readExpression(value: unknown): Requirement | undefined {
  if (!isRecord(value) || typeof value.key !== "string") return undefined;
  const { key, operator } = value;
  const values = Array.isArray(value.values) ? value.values.map(String) : [];
  if (operator === "Exists" || operator === "DoesNotExist") return { key, operator, values: [] };
  if ((operator === "In" || operator === "NotIn") && values.length > 0) return { key, operator, values };
  return undefined;
}

/** Whether labels satisfy a selector. `NotIn` holds for an absent label. */
export function selectorMatches(selector: LabelSelector, labels: Readonly<Record<string, string>>): boolean {
  return selector.every((requirement) => holds(requirement, labels[requirement.key]));
}

function holds({ operator, values }: Requirement, value: string | undefined): boolean {
  switch (operator) {
    case "In":
      return value !== undefined && values.includes(value);
    case "NotIn":
      return value === undefined || !values.includes(value);
    case "Exists":
      return value !== undefined;
    case "DoesNotExist":
      return value === undefined;
  }
}

/** A map of label matchers, as the language has it: all of them hold. */
export type LabelMap = Readonly<Record<string, DraftMatcher>>;

/** The maps of which one must hold; an empty map is everything, no map nothing. */
export function labelMaps(selector: LabelSelector): readonly LabelMap[] {
  const keys = [...new Set(selector.map(({ key }) => key))];
  return keys.reduce<readonly LabelMap[]>(
    (maps, key) => {
      const ways = matchersOf(selector.filter((one) => one.key === key));
      return maps.flatMap((map) => ways.map((matcher) => ({ ...map, [key]: matcher })));
    },
    [{}],
  );
}

function matchersOf(requirements: readonly Requirement[]): readonly DraftMatcher[] {
  const of = (operator: Requirement["operator"]): readonly Requirement[] =>
    requirements.filter((one) => one.operator === operator);
  const not = [...new Set(of("NotIn").flatMap(({ values }) => values))];
  const listed = of("In").map(({ values }) => [...new Set(values)]);
  const there = listed.length > 0 || of("Exists").length > 0;
  if (of("DoesNotExist").length > 0) return there ? [] : [{ absent: true }];
  const [first, ...more] = listed;
  if (first !== undefined) {
    // No label here has an empty value, so none can be asked for.
    const kept = first.filter(
      (value) => value !== "" && !not.includes(value) && more.every((list) => list.includes(value)),
    );
    if (kept.length === 0) return [];
    return [kept.length === 1 ? (kept[0] ?? "") : { in: kept }];
  }
  const excluded = not.filter((value) => value !== "");
  const present: DraftMatcher = excluded.length === 0 ? { present: true } : { notIn: excluded };
  return there ? [present] : [{ absent: true }, present];
}
