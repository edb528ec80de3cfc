import type forge from "node-forge";
import asn1 from "node-forge/lib/asn1.js";
import { SpiffeError } from "./spiffe-error.ts";

/** One element of a DER text. */
export type DerNode = forge.asn1.Asn1;

const LONG_TAG = 0x1f;

/** What every reader in here throws; `readCertificate` turns it into a refusal. */
export function malformed(what: string, cause?: unknown): SpiffeError {
  return new SpiffeError("ERR_SPIFFE_CERTIFICATE_MALFORMED", `malformed certificate: ${what}`, { cause });
}

/**
 * Reads exactly one element.
 *
 * SECURITY: node-forge also reads forms that are not DER (indefinite and non-minimal lengths). Encoding the tree again
 * must give the same bytes, so that what is judged here is what the signature covers and what other readers see.
 */
export function readDer(bytes: string): DerNode {
  const node = parse(bytes);
  if (encodingOf(node) !== bytes) throw malformed("not in distinguished encoding");
  return node;
}

function parse(bytes: string): DerNode {
  try {
    return asn1.fromDer(bytes);
  } catch (cause) {
    throw malformed("unreadable ASN.1", cause);
  }
}

/** The element's own bytes, tag and length included; one byte a character. */
export function encodingOf(node: DerNode): string {
  return asn1.toDer(node).getBytes();
}

/** The elements within a constructed one of the given universal type. */
export function childrenOf(node: DerNode | undefined, type: forge.asn1.Type, what: string): readonly DerNode[] {
  if (node === undefined || node.tagClass !== asn1.Class.UNIVERSAL || node.type !== type || !node.constructed) {
    throw malformed(`${what} is missing or of another type`);
  }
  return elements(node, what);
}

/** The elements within a constructed one, whatever its tag. */
export function elements(node: DerNode, what: string): readonly DerNode[] {
  if (!node.constructed || !Array.isArray(node.value)) throw malformed(`${what} holds no elements`);
  if (node.value.some((child) => Number(child.type) === LONG_TAG))
    throw malformed(`${what} has an element with a long tag`);
  return node.value;
}

/** The content of a primitive element of the given universal type; one byte a character. */
export function contentOf(node: DerNode | undefined, type: forge.asn1.Type, what: string): string {
  if (node === undefined || node.tagClass !== asn1.Class.UNIVERSAL || node.type !== type || node.constructed) {
    throw malformed(`${what} is missing or of another type`);
  }
  return primitive(node, what);
}

/** The content of a primitive element, whatever its tag; one byte a character. */
export function primitive(node: DerNode, what: string): string {
  if (node.constructed) throw malformed(`${what} is not primitive`);
  // A bit string that happens to hold DER comes as a tree; its bytes are what is wanted.
  return typeof node.value === "string" ? node.value : withoutHeader(encodingOf(node));
}

function withoutHeader(encoding: string): string {
  const first = encoding.charCodeAt(1);
  return encoding.slice(first < 0x80 ? 2 : 2 + (first & 0x7f));
}

/** An object identifier in dotted form. */
export function oidOf(node: DerNode | undefined, what: string): string {
  const content = contentOf(node, asn1.Type.OID, what);
  if (content === "" || content.charCodeAt(content.length - 1) >= 0x80) throw malformed(`${what} is cut short`);
  return asn1.derToOid(content);
}

/** A truth value: `0x00` or `0xff`, nothing else. */
export function booleanOf(node: DerNode | undefined, what: string): boolean {
  const content = contentOf(node, asn1.Type.BOOLEAN, what);
  if (content === "\xff") return true;
  if (content === "\x00") return false;
  throw malformed(`${what} is neither true nor false`);
}

/** A positive or zero integer as lower-case hex, possibly with leading zeros. */
export function naturalHexOf(node: DerNode | undefined, what: string): string {
  const content = contentOf(node, asn1.Type.INTEGER, what);
  if (content === "" || content.charCodeAt(0) >= 0x80) throw malformed(`${what} is negative or empty`);
  return Buffer.from(content, "latin1").toString("hex");
}

const TIMES: ReadonlyMap<number, RegExp> = new Map([
  [asn1.Type.UTCTIME, /^()(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/],
  [asn1.Type.GENERALIZEDTIME, /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/],
]);

/** An instant as certificates write it: UTC, whole seconds (RFC 5280, section 4.1.2.5). */
export function timeOf(node: DerNode | undefined, what: string): Date {
  const form = node === undefined ? undefined : TIMES.get(node.type);
  if (node === undefined || form === undefined) throw malformed(`${what} is no time`);
  const [, century, year, month, day, hour, minute, second] = form.exec(contentOf(node, node.type, what)) ?? [];
  const fullYear = `${century || (Number(year) >= 50 ? "19" : "20")}${year}`;
  const text = `${fullYear}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const time = new Date(text);
  // A date that rolls over, such as 30 February, comes back with another text.
  if (Number.isNaN(time.getTime()) || time.toISOString() !== text) throw malformed(`${what} is no time`);
  return time;
}
