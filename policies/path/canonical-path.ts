import type { PathOptions } from "../model/index.ts";
import { isHex, isPlainCode } from "./characters.ts";
import { decodeSegments, type SegmentRefusal } from "./decode-segments.ts";
import { encodePath } from "./encode-path.ts";

/** Longest request target that is read, in bytes, query included. */
export const MAX_PATH_BYTES = 8_192;

/** Why a request target has no canonical path (docs/semantics.md, "Path canonicalisation"). */
export type PathRefusal =
  | "too-long"
  | "fragment"
  | "not-absolute"
  | "nul"
  | "control-or-non-ascii-byte"
  | "backslash"
  | "bad-escape"
  | SegmentRefusal;

/** A canonical path, or why there is none. `path` is the segments percent-encoded again; `segments` are decoded. */
export type CanonicalPath =
  | { readonly ok: true; readonly path: string; readonly segments: readonly string[] }
  | { readonly ok: false; readonly reason: PathRefusal };

const STRICT: PathOptions = Object.freeze({ caseInsensitive: false, matrixParameters: "reject" });

/**
 * What a raw request target (one byte a character, query included) means, or a refusal: nothing that two servers could
 * read differently gets a path. A trailing slash is an empty last segment. Runs in linear time; never throws.
 */
export function canonicalPath(raw: string, options: PathOptions = STRICT): CanonicalPath {
  if (raw.length > MAX_PATH_BYTES) return refuse("too-long");
  if (raw.includes("#")) return refuse("fragment");
  const cut = raw.indexOf("?");
  const path = cut === -1 ? raw : raw.slice(0, cut);
  if (path.charCodeAt(0) !== SLASH) return refuse("not-absolute");
  if (isPlain(path, options)) return { ok: true, path, segments: path.slice(1).split("/") };
  return canonicalSlowly(path, options);
}

const SLASH = 0x2f;
const DOT = 0x2e;

/**
 * The way of nearly every request: already canonical text. Anything else, refusals included, takes the slow way, so
 * that only that one decides on reasons.
 */
function isPlain(path: string, options: PathOptions): boolean {
  let segmentStart = 1;
  for (let at = 1; at < path.length; at++) {
    const code = path.charCodeAt(at);
    if (code === SLASH) {
      if (at === segmentStart || isDots(path, segmentStart, at)) return false;
      segmentStart = at + 1;
    } else if (!isPlainCode(code)) return false;
    else if (options.caseInsensitive && code >= 0x41 && code <= 0x5a) return false;
  }
  return !isDots(path, segmentStart, path.length);
}

function isDots(path: string, start: number, end: number): boolean {
  if (path.charCodeAt(start) !== DOT) return false;
  return end - start === 1 || (end - start === 2 && path.charCodeAt(start + 1) === DOT);
}

function canonicalSlowly(path: string, options: PathOptions): CanonicalPath {
  const bytes = refuseBytes(path);
  if (bytes !== undefined) return refuse(bytes);
  const decoded = decodeSegments(path.slice(1).split("/"), options);
  if (!decoded.ok) return decoded;
  return { ok: true, path: encodePath(decoded.segments), segments: decoded.segments };
}

/** Refuses raw bytes outside visible ASCII, backslashes and malformed escapes, in this order. */
function refuseBytes(path: string): PathRefusal | undefined {
  let outside: PathRefusal | undefined;
  let malformed = false;
  let backslash = false;
  for (let at = 0; at < path.length; at++) {
    const code = path.charCodeAt(at);
    if (code === 0) return "nul";
    if (code <= 0x20 || code >= 0x7f) outside = "control-or-non-ascii-byte";
    else if (code === 0x5c) backslash = true;
    else if (code === 0x25 && !(isHex(path.charCodeAt(at + 1)) && isHex(path.charCodeAt(at + 2)))) malformed = true;
  }
  if (outside !== undefined) return outside;
  if (backslash) return "backslash";
  return malformed ? "bad-escape" : undefined;
}

function refuse(reason: PathRefusal): CanonicalPath {
  return { ok: false, reason };
}
