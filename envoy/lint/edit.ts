import type { Json, JsonObject } from "../config/json.ts";
import { at, type ConfigNode, entryOf } from "./tree.ts";

/** One change of a configuration's text, said of its nodes. */
export type Edit =
  /** Gives a mapping's key this value, whether it is there or not. */
  | { readonly kind: "set"; readonly map: ConfigNode; readonly key: string; readonly value: Json }
  /** Puts values into a sequence before the item of that index. */
  | { readonly kind: "insert"; readonly seq: ConfigNode; readonly index: number; readonly values: readonly Json[] }
  /** Puts another key and value where a mapping's key is. */
  | {
      readonly kind: "exchange";
      readonly map: ConfigNode;
      readonly old: string;
      readonly key: string;
      readonly value: Json;
    };

/** Gives the value at a path of fields, making the mappings on the way that are not there. */
export function set(node: ConfigNode, path: readonly string[], value: Json): readonly Edit[] {
  const [first, ...rest] = path;
  if (first === undefined) return [];
  const below = at(node, first);
  if (rest.length > 0 && below?.kind === "map") return set(below, rest, value);
  const nested = rest.reduceRight<Json>((inner, key) => ({ [key]: inner }), value);
  return [{ kind: "set", map: node, key: entryOf(node, first)?.key ?? first, value: nested }];
}

/** Puts values into the sequence at a field, at its end unless told otherwise; makes it where there is none. */
export function add(node: ConfigNode, field: string, values: readonly JsonObject[], index?: number): readonly Edit[] {
  const list = at(node, field);
  if (list?.kind !== "seq" || list.items.length === 0) return set(node, [field], values);
  return [{ kind: "insert", seq: list, index: index ?? list.items.length, values }];
}
