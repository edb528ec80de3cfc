import type { Json } from "../config/json.ts";
import type { ConfigNode } from "./tree.ts";

/** A node's value. A null is an empty text, as Envoy's messages know none. */
export function toJson(node: ConfigNode): Json {
  switch (node.kind) {
    case "scalar":
      return node.value ?? "";
    case "seq":
      return node.items.map(toJson);
    case "map":
      return Object.fromEntries(node.entries.map(({ key, value }) => [key, toJson(value)]));
  }
}
