import { optionalMatches } from "../match/value.ts";
import type { Matcher } from "../model/index.ts";
import type { Entries, Located } from "../syntax/readers.ts";

/** A label selector as the model has it. */
export type LabelSelector = ReadonlyMap<string, Matcher>;

/** From the text's entries to a map. */
export function selectorOf(entries: Located<Entries<Located<Matcher>>>): LabelSelector {
  return new Map(entries.value.map(({ key, value }) => [key.text, value.value]));
}

/** Whether labels pass every test of a selector. */
export function selects(selector: LabelSelector, labels: ReadonlyMap<string, string>): boolean {
  for (const [key, matcher] of selector) if (!optionalMatches(matcher, labels.get(key))) return false;
  return true;
}
