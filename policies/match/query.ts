import { percentDecode } from "../path/percent-decode.ts";

/** Decoded parameters by name, values in order; or the knowledge that the query cannot be read in one way only. */
export type Query = ReadonlyMap<string, readonly string[]> | "malformed";

const NONE: Query = new Map();

/**
 * Form-decodes the query of a raw request target once. Malformed are escapes without two hexadecimal digits, bytes that
 * are not UTF-8, raw bytes outside visible ASCII, and a raw `;`, which some servers read as `&`. Never throws.
 */
export function parseQuery(target: string): Query {
  const at = target.indexOf("?");
  if (at === -1 || at === target.length - 1) return NONE;
  const text = target.slice(at + 1);
  if (!/^[!-:<-~]*$/.test(text) || /%(?![0-9A-Fa-f]{2})/.test(text)) return "malformed";
  const query = new Map<string, string[]>();
  for (const pair of text.split("&")) {
    if (pair === "") continue;
    const equals = pair.indexOf("=");
    const name = decode(equals === -1 ? pair : pair.slice(0, equals));
    const value = decode(equals === -1 ? "" : pair.slice(equals + 1));
    if (name === undefined || value === undefined) return "malformed";
    const values = query.get(name);
    if (values === undefined) query.set(name, [value]);
    else values.push(value);
  }
  return query;
}

function decode(text: string): string | undefined {
  return percentDecode(text.replaceAll("+", " "));
}
