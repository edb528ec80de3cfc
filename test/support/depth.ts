/** How much a random test does: `CELLWALL_DEPTH` is `quick` (default) or `full`. */
export const depth: "quick" | "full" = process.env.CELLWALL_DEPTH === "full" ? "full" : "quick";

/** Picks by depth. */
export function atDepth<T>(sizes: { readonly quick: T; readonly full: T }): T {
  return sizes[depth];
}
