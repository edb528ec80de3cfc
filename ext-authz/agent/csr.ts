import { createPublicKey, type KeyObject, sign } from "node:crypto";
import forge from "node-forge";
import type { SpiffeId } from "../../spiffe/index.ts";

const { asn1 } = forge;
const { Class, Type } = asn1;

const OID = {
  ecdsaWithSha256: "1.2.840.10045.4.3.2",
  extensionRequest: "1.2.840.113549.1.9.14",
  subjectAltName: "2.5.29.17",
} as const;

/**
 * A PKCS#10 certification request (RFC 2986) for a P-256 key, as DER: empty subject, and the SPIFFE ID as a URI name in the extension
 * request where one is asked for. It proves possession of the key; what the certificate says is the authority's business.
 */
export function certificateRequest(privateKey: KeyObject, identity?: SpiffeId): Buffer {
  const info = sequence([
    asn1.create(Class.UNIVERSAL, Type.INTEGER, false, asn1.integerToDer(0).getBytes()),
    sequence([]),
    publicKeyInfo(privateKey),
    asn1.create(Class.CONTEXT_SPECIFIC, 0, true, identity === undefined ? [] : [extensionRequest(identity)]),
  ]);
  const signature = sign("sha256", der(info), { key: privateKey, dsaEncoding: "der" });
  return der(sequence([info, sequence([oid(OID.ecdsaWithSha256)]), bitString(signature)]));
}

function publicKeyInfo(privateKey: KeyObject): forge.asn1.Asn1 {
  const spki = createPublicKey(privateKey).export({ type: "spki", format: "der" });
  return asn1.fromDer(spki.toString("latin1"));
}

function extensionRequest(identity: SpiffeId): forge.asn1.Asn1 {
  const names = sequence([asn1.create(Class.CONTEXT_SPECIFIC, 6, false, identity.toString())]);
  const extension = sequence([
    oid(OID.subjectAltName),
    asn1.create(Class.UNIVERSAL, Type.BOOLEAN, false, "\xff"),
    asn1.create(Class.UNIVERSAL, Type.OCTETSTRING, false, asn1.toDer(names).getBytes()),
  ]);
  return sequence([oid(OID.extensionRequest), set([sequence([extension])])]);
}

function sequence(parts: forge.asn1.Asn1[]): forge.asn1.Asn1 {
  return asn1.create(Class.UNIVERSAL, Type.SEQUENCE, true, parts);
}

function set(parts: forge.asn1.Asn1[]): forge.asn1.Asn1 {
  return asn1.create(Class.UNIVERSAL, Type.SET, true, parts);
}

function oid(text: string): forge.asn1.Asn1 {
  return asn1.create(Class.UNIVERSAL, Type.OID, false, asn1.oidToDer(text).getBytes());
}

function bitString(bytes: Buffer): forge.asn1.Asn1 {
  return asn1.create(Class.UNIVERSAL, Type.BITSTRING, false, `\0${bytes.toString("latin1")}`);
}

function der(value: forge.asn1.Asn1): Buffer {
  return Buffer.from(asn1.toDer(value).getBytes(), "latin1");
}
