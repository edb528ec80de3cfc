import { isPlainCode } from "./characters.ts";

const ENCODER = new TextEncoder();

/** The canonical text of decoded segments: percent-encoded outside unreserved and `!$&'()*+,=:@`, upper-case hex. */
export function encodePath(segments: readonly string[]): string {
  return `/${segments.map(encodeSegment).join("/")}`;
}

function encodeSegment(segment: string): string {
  if (isPlain(segment)) return segment;
  let text = "";
  for (const byte of ENCODER.encode(segment)) {
    text += isPlainCode(byte) ? String.fromCharCode(byte) : `%${byte.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return text;
}

function isPlain(segment: string): boolean {
  for (let at = 0; at < segment.length; at++) if (!isPlainCode(segment.charCodeAt(at))) return false;
  return true;
}
