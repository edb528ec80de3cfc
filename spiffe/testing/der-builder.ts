import forge from "node-forge";

const { asn1 } = forge;
const { Class, Type } = asn1;

/** One DER element to be. */
export type Der = forge.asn1.Asn1;

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

export const sequence = (...items: readonly Der[]): Der =>
  asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, [...items]);
export const set = (...items: readonly Der[]): Der => asn1.create(Class.UNIVERSAL, Type.SET, true, [...items]);
export const boolean = (value: boolean): Der =>
  asn1.create(Class.UNIVERSAL, Type.BOOLEAN, false, value ? "\xff" : "\x00");
export const utf8 = (text: string): Der => asn1.create(Class.UNIVERSAL, Type.UTF8, false, latin1(Buffer.from(text)));
export const oid = (dotted: string): Der =>
  asn1.create(Class.UNIVERSAL, Type.OID, false, asn1.oidToDer(dotted).getBytes());
export const octets = (bytes: Uint8Array): Der => asn1.create(Class.UNIVERSAL, Type.OCTETSTRING, false, latin1(bytes));
export const bits = (bytes: Uint8Array, unusedBits = 0): Der =>
  asn1.create(Class.UNIVERSAL, Type.BITSTRING, false, String.fromCharCode(unusedBits) + latin1(bytes));
/** `[n]` around one element. */
export const tagged = (tag: number, item: Der): Der => asn1.create(Class.CONTEXT_SPECIFIC, tag, true, [item]);
/** `[n]` in place of a string's own tag. */
export const named = (tag: number, bytes: Uint8Array): Der =>
  asn1.create(Class.CONTEXT_SPECIFIC, tag, false, latin1(bytes));

/** A positive integer from hex of any length; after a `-`, exactly the given bytes. */
export function integer(hex: string): Der {
  if (hex.startsWith("-")) return integerOf(hex.slice(1));
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  const padded = Number.parseInt(even.slice(0, 2), 16) >= 0x80 ? `00${even}` : even;
  return integerOf(padded);
}

const integerOf = (hex: string): Der =>
  asn1.create(Class.UNIVERSAL, Type.INTEGER, false, latin1(Buffer.from(hex, "hex")));

/** UTC time before 2050 and generalized time from then on, as RFC 5280 wants. */
export function time(date: Date): Der {
  const text = `${date.toISOString().slice(0, 19).replace(/[-:T]/g, "")}Z`;
  return date.getUTCFullYear() < 2050
    ? asn1.create(Class.UNIVERSAL, Type.UTCTIME, false, text.slice(2))
    : asn1.create(Class.UNIVERSAL, Type.GENERALIZEDTIME, false, text);
}

/** An element that is given as bytes. */
export const raw = (bytes: Uint8Array): Der => asn1.fromDer(latin1(bytes));

export const encode = (item: Der): Buffer => Buffer.from(asn1.toDer(item).getBytes(), "latin1");
