import { FAILED, type Failed, fail, type Located, mismatch, type Reader, type Reading } from "./reader.ts";
import { isNull, type ScalarNode } from "./tree.ts";

/** A list of at least one item. */
export function list<T>(item: Reader<T>, hint?: string): Reader<Located<readonly T[]>> {
  const expects = `a list, each item ${item.expects}`;
  return {
    schema: { type: "array", minItems: 1, items: item.schema },
    expects,
    read(node, reading) {
      if (node.kind !== "list")
        return mismatch(reading, node, expects, hint ?? "start each item on a line of its own with `- `");
      if (node.items.length === 0)
        return fail(
          reading,
          "ERR_POLICY_EMPTY",
          node.span,
          "an empty list",
          "remove the key, or say what belongs in the list",
        );
      const inner: Reading = { found: reading.found, partial: false };
      const read = node.items.map((one) => item.read(one, inner));
      const value = read.filter((one): one is Exclude<typeof one, Failed> => one !== FAILED);
      return value.length === read.length ? { value, span: node.span } : FAILED;
    },
  };
}

/** Entries of an open map, in the order written. */
export type Entries<T> = readonly { readonly key: ScalarNode; readonly value: T }[];

/** A map with free keys, at least one. */
export function mapOf<T>(key: Reader<ScalarNode>, value: Reader<T>): Reader<Located<Entries<T>>> {
  const expects = `a map from ${key.expects} to ${value.expects}`;
  return {
    schema: { type: "object", minProperties: 1, propertyNames: key.schema, additionalProperties: value.schema },
    expects,
    read(node, reading) {
      if (node.kind !== "map") return mismatch(reading, node, expects);
      if (node.entries.length === 0)
        return fail(
          reading,
          "ERR_POLICY_EMPTY",
          node.span,
          "an empty map",
          "remove the key, or say what belongs in the map",
        );
      const entries: { key: ScalarNode; value: T }[] = [];
      for (const entry of node.entries) {
        const name = key.read(entry.key, reading);
        if (reading.partial && isNull(entry.value)) continue;
        const read = value.read(entry.value, reading);
        if (name !== FAILED && read !== FAILED) entries.push({ key: name, value: read });
      }
      const whole = reading.partial || entries.length === node.entries.length;
      return whole ? { value: entries, span: node.span } : FAILED;
    },
  };
}
