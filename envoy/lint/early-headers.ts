import type { HttpView } from "./listener-view.ts";
import { at, type ConfigNode, items, text } from "./tree.ts";

/** What is done to headers before any filter. */
export interface EarlyHeaders {
  /** Whether a header of that name is removed, whatever the caller sends. */
  removes(name: string): boolean;
  readonly appended: readonly EarlyAppend[];
}

/** A header that is written early. */
export interface EarlyAppend {
  readonly node: ConfigNode;
  readonly name: string;
  readonly value: string;
  /** The list of mutations that it stands in. */
  readonly mutations: ConfigNode;
  /** Whether the caller's own is removed before. */
  readonly removedBefore: boolean;
}

/** Reads `early_header_mutation_extensions`, in their order. */
export function earlyHeaders({ node }: HttpView): EarlyHeaders {
  const names = new Set<string>();
  const prefixes: string[] = [];
  const appended: EarlyAppend[] = [];
  const removes = (name: string): boolean => names.has(name) || prefixes.some((prefix) => name.startsWith(prefix));
  for (const extension of items(at(node, "early_header_mutation_extensions"))) {
    const mutations = at(extension, "typed_config", "mutations");
    for (const mutation of items(mutations)) {
      const name = text(at(mutation, "remove"));
      const prefix = text(at(mutation, "remove_on_match", "key_matcher", "prefix"));
      if (name !== undefined) names.add(name.toLowerCase());
      if (prefix !== undefined) prefixes.push(prefix.toLowerCase());
      const header = at(mutation, "append", "header");
      const key = text(at(header, "key"))?.toLowerCase();
      if (header === undefined || key === undefined || mutations === undefined) continue;
      const value = text(at(header, "value")) ?? "";
      appended.push({ node: header, name: key, value, mutations, removedBefore: removes(key) });
    }
  }
  return { removes, appended };
}
