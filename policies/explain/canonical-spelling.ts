import type { PathOptions } from "../model/index.ts";
import { canonicalPath } from "../path/canonical-path.ts";

/** The spelling of a refused request target that says the same and is accepted; nothing where no spelling surely does. */
export function canonicalSpelling(raw: string, options: PathOptions | undefined): string | undefined {
  const [, path = "", query = ""] = /^([^?#]*)(\?[^#]*)?/.exec(raw) ?? [];
  // What is decoded twice, or holds a separator in disguise, means different things to different servers.
  if (/%(?:2f|5c|25|3b|00)|\\|;/i.test(path)) return undefined;
  const absolute = path.startsWith("/") ? path : `/${path}`;
  const read = canonicalPath(resolveDots(encodeRaw(absolute)), options);
  return read.ok && read.path !== raw ? `${read.path}${query}` : undefined;
}

/** Bytes outside visible ASCII, and `%` without two hexadecimal digits, percent-encoded. */
function encodeRaw(path: string): string {
  return path.replace(/%(?![0-9A-Fa-f]{2})/g, "%25").replace(/[^!-~]/g, encodeByte);
}

/** A request target holds one byte a character. */
function encodeByte(character: string): string {
  return `%${(character.charCodeAt(0) & 0xff).toString(16).toUpperCase().padStart(2, "0")}`;
}

function resolveDots(path: string): string {
  const segments = path.slice(1).split("/");
  const kept: string[] = [];
  for (const [at, segment] of segments.entries()) {
    const dots = segment.replace(/%2e/gi, ".");
    const isLast = at === segments.length - 1;
    if (dots === "..") kept.pop();
    if (dots === "." || dots === ".." || segment === "") {
      if (isLast) kept.push("");
    } else kept.push(segment);
  }
  return `/${kept.join("/")}`;
}
