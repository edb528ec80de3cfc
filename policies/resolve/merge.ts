import { isNull, type MapEntry, type MapNode, type TreeNode } from "../syntax/tree.ts";

/** JSON Merge Patch (RFC 7396) over trees: each value keeps the place where it was written. */
export function mergePatch(base: TreeNode | undefined, patch: TreeNode): TreeNode {
  return patch.kind === "map" ? mergeMaps(base?.kind === "map" ? base : { ...patch, entries: [] }, patch) : patch;
}

/** A map merged over another: `null` removes a key, maps are merged, anything else is replaced whole. */
export function mergeMaps(base: MapNode, patch: MapNode): MapNode {
  const entries = new Map<string, MapEntry>(base.entries.map((entry) => [entry.key.text, entry]));
  for (const { key, value } of patch.entries) {
    if (isNull(value)) entries.delete(key.text);
    else entries.set(key.text, { key, value: mergePatch(entries.get(key.text)?.value, value) });
  }
  return { ...base, entries: [...entries.values()] };
}
