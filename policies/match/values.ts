import type { Matcher, Rule } from "../model/index.ts";
import { valueMatches } from "./value.ts";

/** Tells whether a value holds only characters that everybody reads alike. */
export type IsClean = (value: string) => boolean;

/**
 * Whether the values of a repeated header or query parameter pass a matcher.
 *
 * SECURITY: an allow needs at least one value, and every one clean and passing. A deny is hit by any value that passes,
 * whole or between commas, and by any that is not clean.
 */
export function valuesMatch(
  effect: Rule["effect"],
  matcher: Matcher,
  values: readonly string[],
  isClean: IsClean,
): boolean {
  return effect === "allow" ? allPass(matcher, values, isClean) : anyHits(matcher, values, isClean);
}

function allPass(matcher: Matcher, values: readonly string[], isClean: IsClean): boolean {
  if (matcher.kind === "absent") return values.length === 0;
  return values.length > 0 && values.every((value) => isClean(value) && valueMatches(matcher, value));
}

function anyHits(matcher: Matcher, values: readonly string[], isClean: IsClean): boolean {
  if (matcher.kind === "absent" && values.length === 0) return true;
  return values.some((value) => !isClean(value) || valueMatches(matcher, value) || anyPieceHits(matcher, value));
}

function anyPieceHits(matcher: Matcher, value: string): boolean {
  if (!value.includes(",")) return false;
  return value.split(",").some((piece) => valueMatches(matcher, piece.replace(/^[ \t]+|[ \t]+$/g, "")));
}

/** Visible ASCII, space and tab: what a header value may hold to satisfy an allow. */
export function isCleanHeader(value: string): boolean {
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if ((code < 0x20 && code !== 0x09) || code > 0x7e) return false;
  }
  return true;
}

/** No control characters: what a decoded query value may hold to satisfy an allow. */
export function isCleanQuery(value: string): boolean {
  for (let at = 0; at < value.length; at++) {
    const code = value.charCodeAt(at);
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return false;
  }
  return true;
}
