import { explicit, oid, sequence, toDer, unsignedInteger } from "./der.ts";
import { leafExtensions } from "./extensions.ts";
import { OID } from "./oids.ts";

/** What differs between leaves. */
export interface LeafParts {
  readonly serial: Buffer;
  /** DER of the issuer's subject. */
  readonly issuerName: Buffer;
  readonly issuerKeyId: Buffer;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** DER of the SubjectPublicKeyInfo. */
  readonly spki: Buffer;
  readonly keyId: Buffer;
  /** The one name; ASCII. */
  readonly uri: string;
}

const INTEGER = 0x02;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const UTC_TIME = 0x17;
const GENERALIZED_TIME = 0x18;
const SEQUENCE = 0x30;
const URI = 0x86;
const EXTENSIONS = 0xa3;

/**
 * The part of a leaf that is signed, as DER: the same bytes as the tree of `signLeaf`, which is where its fixed parts come from, in a
 * tenth of the time.
 */
export function leafToBeSigned(parts: LeafParts): Buffer {
  const { issuerKeyId, issuerName, keyId, serial, spki, uri } = parts;
  const name = value(OCTET_STRING, value(SEQUENCE, value(URI, Buffer.from(uri, "ascii"))));
  const extensions = value(
    SEQUENCE,
    FIXED.use,
    value(SEQUENCE, FIXED.subjectKeyIdentifier, value(OCTET_STRING, value(OCTET_STRING, keyId))),
    value(SEQUENCE, FIXED.authorityKeyIdentifier, value(OCTET_STRING, value(SEQUENCE, value(0x80, issuerKeyId)))),
    value(SEQUENCE, FIXED.criticalNames, name),
  );
  const validity = value(SEQUENCE, instant(parts.notBefore), instant(parts.notAfter));
  const head = [FIXED.version, positive(serial), FIXED.algorithm, issuerName, validity, FIXED.noSubject];
  return value(SEQUENCE, ...head, spki, value(EXTENSIONS, extensions));
}

/** The certificate of what has been signed with ECDSA and SHA-256. */
export function signedDer(toBeSigned: Buffer, signature: Buffer): Buffer {
  return value(SEQUENCE, toBeSigned, FIXED.algorithm, value(BIT_STRING, Buffer.from([0]), signature));
}

const FIXED = fixedParts();

function fixedParts() {
  const keyId = Buffer.alloc(20);
  // Use of the key, and the identifiers, are in the order of `leafExtensions`.
  const [basic, usage, extended] = leafExtensions({ uri: "x", hosts: {}, keyId, issuerKeyId: keyId }).map(toDer);
  if (basic === undefined || usage === undefined || extended === undefined) throw new Error("a leaf without its uses");
  return {
    version: toDer(explicit(0, unsignedInteger(Buffer.from([2])))),
    algorithm: toDer(sequence(oid(OID.ecdsaWithSha256))),
    noSubject: toDer(sequence()),
    use: Buffer.concat([basic, usage, extended]),
    subjectKeyIdentifier: toDer(oid(OID.subjectKeyIdentifier)),
    authorityKeyIdentifier: toDer(oid(OID.authorityKeyIdentifier)),
    criticalNames: Buffer.concat([toDer(oid(OID.subjectAltName)), Buffer.from([0x01, 0x01, 0xff])]),
  };
}

/** Tag, length, content. */
function value(tag: number, ...content: readonly Buffer[]): Buffer {
  const length = content.reduce((sum, { length }) => sum + length, 0);
  return Buffer.concat([Buffer.from([tag, ...lengthBytes(length)]), ...content]);
}

function lengthBytes(length: number): readonly number[] {
  if (length < 0x80) return [length];
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
}

/** UTCTime through 2049, GeneralizedTime from 2050 (RFC 5280, section 4.1.2.5). */
function instant(at: Date): Buffer {
  const text = at.toISOString();
  const utc = at.getUTCFullYear() < 2050;
  const day = text.slice(utc ? 2 : 0, 4) + text.slice(5, 7) + text.slice(8, 10);
  const second = text.slice(11, 13) + text.slice(14, 16) + text.slice(17, 19);
  return value(utc ? UTC_TIME : GENERALIZED_TIME, Buffer.from(`${day}${second}Z`, "latin1"));
}

/** A positive integer from its big-endian bytes, in its shortest form. */
function positive(bytes: Buffer): Buffer {
  const magnitude = bytes.subarray(bytes.findIndex((byte) => byte !== 0));
  const sign = (magnitude[0] ?? 0) < 0x80 ? [] : [Buffer.from([0])];
  return value(INTEGER, ...sign, magnitude);
}
