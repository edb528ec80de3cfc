import { KINDS } from "../syntax/document.ts";
import { documentReader } from "../syntax/read-document.ts";
import type { Json } from "../syntax/readers.ts";

/** What is known of the keys below a place: their order, and what lies below each. Free keys have no order of their own. */
export interface KeyOrder {
  /** Canonical order of the keys; empty where keys are free. */
  readonly keys: readonly string[];
  below(key: string): KeyOrder;
  /** What lies below an item of a list. */
  readonly item: KeyOrder;
}

const FREE: KeyOrder = {
  keys: [],
  below: () => FREE,
  get item() {
    return FREE;
  },
};

/** Keys that come first or last wherever they stand; the others are in the order of the language's own description. */
const FIRST = ["apiVersion", "kind", "metadata", "name", "namespace"];
const LAST = ["reason", "review"];

/** The order of keys of a kind of document, from the readers that parse it; none where the kind is not known. */
export function keyOrderOf(kind: string | undefined): KeyOrder {
  const known = KINDS.find((one) => one === kind);
  return known === undefined ? ANY_DOCUMENT : orderOf(documentReader(known).schema);
}

const ANY_DOCUMENT: KeyOrder = { ...FREE, keys: ["apiVersion", "kind", "metadata", "spec"] };

function orderOf(schema: Json | undefined): KeyOrder {
  if (!isRecord(schema)) return FREE;
  const properties = propertiesOf(schema);
  return {
    keys: [...properties.keys()].sort((left, right) => rank(left) - rank(right)),
    below: (key) => orderOf(properties.get(key) ?? schema.additionalProperties),
    get item() {
      return orderOf(schema.items);
    },
  };
}

/** Every property that the schema or one of its alternatives names. */
function propertiesOf(schema: { readonly [key: string]: Json }): ReadonlyMap<string, Json> {
  const alternatives = Array.isArray(schema.anyOf) ? schema.anyOf : [];
  const all = [schema, ...alternatives.filter(isRecord)].map(({ properties }) => properties);
  return new Map(all.filter(isRecord).flatMap((properties) => Object.entries(properties)));
}

function rank(key: string): number {
  const first = FIRST.indexOf(key);
  if (first !== -1) return first - FIRST.length;
  return LAST.includes(key) ? 1 + LAST.indexOf(key) : 0;
}

function isRecord(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
