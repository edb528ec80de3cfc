import { SpiffeId } from "../../spiffe/index.ts";

/** What says where and how a text is written, and not what it says. */
const WRITTEN: ReadonlySet<string> = new Set(["span", "keys", "style", "lead"]);

/** A document's `spec` as JSON text without places and spellings; maps in the order of their keys. */
export function plainText(value: unknown): string {
  return JSON.stringify(value, (key, each: unknown) => {
    if (WRITTEN.has(key)) return undefined;
    if (each instanceof SpiffeId) return each.toString();
    if (each instanceof Map) return [...each].sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
    return each;
  });
}
