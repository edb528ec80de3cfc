import { excerpt } from "./excerpt.ts";
import { type Refusal, refuse, type SpiffeIdErrorCode } from "./spiffe-error.ts";

/** The longest SPIFFE ID, scheme included, in bytes (SPIFFE-ID, section 2.3). */
export const MAX_ID_BYTES = 2048;
/** The longest trust domain name in bytes (SPIFFE-ID, section 2.3). */
export const MAX_TRUST_DOMAIN_BYTES = 255;

const SCHEME = "spiffe://";
const SLASH = 0x2f;

/** What a scan found: the two parts of an ID, as they stand in the text. */
export interface ScannedId {
  readonly ok: true;
  readonly trustDomain: string;
  readonly path: string;
}

/** Why a scan stopped. */
export type ScanRefusal = Refusal<SpiffeIdErrorCode>;

const isLowerOrDigit = (c: number): boolean => (c >= 0x61 && c <= 0x7a) || (c >= 0x30 && c <= 0x39);
const isMark = (c: number): boolean => c === 0x2d || c === 0x2e || c === 0x5f;

/** `a-z 0-9 . - _` (SPIFFE-ID, section 2.1). */
const isTrustDomainChar = (c: number): boolean => isLowerOrDigit(c) || isMark(c);
/** `A-Z a-z 0-9 . - _` (SPIFFE-ID, section 2.2). */
const isSegmentChar = (c: number): boolean => isLowerOrDigit(c) || isMark(c) || (c >= 0x41 && c <= 0x5a);

/**
 * Reads a SPIFFE ID in one pass, accepting exactly one spelling of each identity (ID-1 to ID-5).
 *
 * SECURITY: never the WHATWG `URL` class. It collapses `/../`, lower-cases, and accepts userinfo, ports and queries,
 * each of which lets two texts mean one identity.
 */
export function scanId(text: string): ScannedId | ScanRefusal {
  if (text === "") return refuse("ERR_SPIFFE_EMPTY", "a SPIFFE ID cannot be empty");
  // All accepted characters are ASCII, so UTF-16 units count as bytes for every text that passes.
  if (text.length > MAX_ID_BYTES) {
    return refuse("ERR_SPIFFE_TOO_LONG", `a SPIFFE ID has at most ${MAX_ID_BYTES} bytes: ${excerpt(text)}`);
  }
  if (!text.startsWith(SCHEME)) {
    return refuse("ERR_SPIFFE_SCHEME", `a SPIFFE ID starts with \`${SCHEME}\`: ${excerpt(text)}`);
  }
  const slash = text.indexOf("/", SCHEME.length);
  const end = slash === -1 ? text.length : slash;
  const trustDomain = text.slice(SCHEME.length, end);
  const path = text.slice(end);
  return refuseTrustDomain(trustDomain) ?? refusePath(path) ?? { ok: true, trustDomain, path };
}

/** Why a text is no trust domain name, or nothing (ID-2). */
export function refuseTrustDomain(name: string): ScanRefusal | undefined {
  if (name === "") return refuse("ERR_SPIFFE_MISSING_TRUST_DOMAIN", "the trust domain is missing");
  for (let at = 0; at < name.length; at++) {
    if (isTrustDomainChar(name.charCodeAt(at))) continue;
    return refuse(
      "ERR_SPIFFE_BAD_TRUST_DOMAIN_CHAR",
      `a trust domain holds only lower-case letters, digits, dots, dashes and underscores: ${excerpt(name)}`,
    );
  }
  if (name.length > MAX_TRUST_DOMAIN_BYTES) {
    return refuse(
      "ERR_SPIFFE_TRUST_DOMAIN_TOO_LONG",
      `a trust domain has at most ${MAX_TRUST_DOMAIN_BYTES} bytes: ${excerpt(name)}`,
    );
  }
  return undefined;
}

/** Why a text is no path, or nothing; `""` and `/a/b` are paths (ID-3). */
export function refusePath(path: string): ScanRefusal | undefined {
  let start = 1;
  for (let at = 1; at < path.length; at++) {
    const char = path.charCodeAt(at);
    if (char === SLASH) {
      const refusal = refuseNames(path, start, at);
      if (refusal !== undefined) return refusal;
      start = at + 1;
    } else if (!isSegmentChar(char)) {
      return badPathChar(path);
    }
  }
  if (path === "") return undefined;
  if (start === path.length)
    return refuse("ERR_SPIFFE_TRAILING_SLASH", `a path has no trailing slash: ${excerpt(path)}`);
  return refuseNames(path, start, path.length);
}

/** Why a text is no single path segment, or nothing (ID-3). */
export function refuseSegment(segment: string): ScanRefusal | undefined {
  for (let at = 0; at < segment.length; at++) {
    if (!isSegmentChar(segment.charCodeAt(at))) return badPathChar(segment);
  }
  return refuseNames(segment, 0, segment.length);
}

/** Refuses the segment between two offsets if it is empty, `.` or `..`. */
function refuseNames(path: string, start: number, end: number): ScanRefusal | undefined {
  if (start === end) return refuse("ERR_SPIFFE_EMPTY_SEGMENT", `a path has no empty segment: ${excerpt(path)}`);
  const segment = end - start <= 2 ? path.slice(start, end) : "";
  if (segment !== "." && segment !== "..") return undefined;
  return refuse("ERR_SPIFFE_DOT_SEGMENT", `a path has no \`.\` or \`..\` segment: ${excerpt(path)}`);
}

function badPathChar(path: string): ScanRefusal {
  return refuse(
    "ERR_SPIFFE_BAD_PATH_CHAR",
    `a path segment holds only letters, digits, dots, dashes and underscores: ${excerpt(path)}`,
  );
}
