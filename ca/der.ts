import forge from "node-forge";

const { asn1 } = forge;
const { Class, Type } = asn1;

/** One node of an ASN.1 tree. */
export type Asn1 = forge.asn1.Asn1;

/** Reads DER and nothing else: a text whose strict encoding differs from itself throws a plain `Error`. */
export function parseDer(bytes: Uint8Array): Asn1 {
  // The typings know only the flag; bit strings stay raw, so that a signature is never taken apart on the way.
  const options = { strict: true, parseAllBytes: true, decodeBitStrings: false } as unknown as boolean;
  const node = asn1.fromDer(binary(bytes), options);
  if (!toDer(node).equals(bytes)) throw new Error("not in its one distinguished encoding");
  demandMinimal(node);
  return node;
}

/** The bytes of a tree. */
export function toDer(node: Asn1): Buffer {
  return Buffer.from(asn1.toDer(node).getBytes(), "latin1");
}

/** What the encoder copies without looking: booleans and integers of more than one spelling. */
function demandMinimal(node: Asn1): void {
  if (Array.isArray(node.value)) {
    for (const child of node.value) demandMinimal(child);
    return;
  }
  if (node.tagClass !== Class.UNIVERSAL) return;
  const [first = -1, second = -1] = Buffer.from(node.value, "latin1");
  if (node.type === Type.BOOLEAN && (node.value.length !== 1 || (first !== 0 && first !== 0xff))) {
    throw new Error("a boolean that is neither 00 nor ff");
  }
  const padded = second >= 0 && ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80));
  if (node.type === Type.INTEGER && (first < 0 || padded)) throw new Error("an integer with leading zeros");
}

/** The children of a constructed node of this kind; throws a plain `Error` for any other. */
export function childrenOf(node: Asn1 | undefined, type: forge.asn1.Type, tagClass = Class.UNIVERSAL): Asn1[] {
  if (node?.type !== type || node.tagClass !== tagClass || !Array.isArray(node.value))
    throw new Error("not the shape expected");
  return node.value;
}

/** The content bytes of a primitive node of this kind; throws a plain `Error` for any other. */
export function contentOf(node: Asn1 | undefined, type: forge.asn1.Type, tagClass = Class.UNIVERSAL): Buffer {
  if (node?.type !== type || node.tagClass !== tagClass || typeof node.value !== "string")
    throw new Error("not the shape expected");
  return Buffer.from(node.value, "latin1");
}

/** The dotted text of an object identifier. */
export function oidOf(node: Asn1 | undefined): string {
  return asn1.derToOid(binary(contentOf(node, Type.OID)));
}

export function sequence(...children: readonly Asn1[]): Asn1 {
  return asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, [...children]);
}

export function set(...children: readonly Asn1[]): Asn1 {
  return asn1.create(Class.UNIVERSAL, Type.SET, true, [...children]);
}

export function oid(dotted: string): Asn1 {
  return asn1.create(Class.UNIVERSAL, Type.OID, false, asn1.oidToDer(dotted).getBytes());
}

export function boolean(value: boolean): Asn1 {
  return asn1.create(Class.UNIVERSAL, Type.BOOLEAN, false, value ? "\xff" : "\x00");
}

/** A non-negative integer from its big-endian bytes, in its shortest form. */
export function unsignedInteger(bytes: Uint8Array): Asn1 {
  const start = bytes.findIndex((byte) => byte !== 0);
  const magnitude = start < 0 ? Buffer.from([0]) : Buffer.from(bytes.subarray(start));
  const content = (magnitude[0] ?? 0) < 0x80 ? magnitude : Buffer.concat([Buffer.from([0]), magnitude]);
  return asn1.create(Class.UNIVERSAL, Type.INTEGER, false, binary(content));
}

export function octetString(bytes: Uint8Array): Asn1 {
  return asn1.create(Class.UNIVERSAL, Type.OCTETSTRING, false, binary(bytes));
}

/** A bit string; `unusedBits` counts from the end of the last byte. */
export function bitString(bytes: Uint8Array, unusedBits = 0): Asn1 {
  return asn1.create(Class.UNIVERSAL, Type.BITSTRING, false, String.fromCharCode(unusedBits) + binary(bytes));
}

/** A text in 16-bit units, big end first; forge makes them itself. */
export function bmpString(text: string): Asn1 {
  return asn1.create(Class.UNIVERSAL, Type.BMPSTRING, false, text);
}

export function nullValue(): Asn1 {
  return asn1.create(Class.UNIVERSAL, Type.NULL, false, "");
}

export function utf8String(text: string): Asn1 {
  return asn1.create(Class.UNIVERSAL, Type.UTF8, false, binary(Buffer.from(text, "utf8")));
}

/** UTCTime through 2049, GeneralizedTime from 2050 (RFC 5280, section 4.1.2.5). */
export function time(at: Date): Asn1 {
  const utc = at.getUTCFullYear() < 2050;
  const text = utc ? asn1.dateToUtcTime(at) : asn1.dateToGeneralizedTime(at);
  return asn1.create(Class.UNIVERSAL, utc ? Type.UTCTIME : Type.GENERALIZEDTIME, false, text);
}

/** A context tag around whole nodes. */
export function explicit(tag: number, ...children: readonly Asn1[]): Asn1 {
  return asn1.create(Class.CONTEXT_SPECIFIC, tag, true, [...children]);
}

/** A context tag in the place of a primitive node's own tag. */
export function implicit(tag: number, bytes: Uint8Array): Asn1 {
  return asn1.create(Class.CONTEXT_SPECIFIC, tag, false, binary(bytes));
}

/** ASN.1's own numbers for the parts that this folder reads. */
export const Tag = Type;
export const TagClass = Class;

/** One character a byte, as the encoder wants its bytes. */
function binary(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
}
