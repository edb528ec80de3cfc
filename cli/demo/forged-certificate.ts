import { type KeyObject, randomBytes, sign, X509Certificate } from "node:crypto";
import forge from "node-forge";

const { asn1 } = forge;
type Asn1 = forge.asn1.Asn1;

const SUBJECT_ALT_NAME = "2.5.29.17";
const SUBJECT_ALT_NAME_URI = 6;
const COMMON_NAME = "2.5.4.3";

/**
 * A certificate that no honest authority issues: a copy of a leaf, with other URI SANs, signed by whatever key is at hand. The copy keeps
 * the leaf's public key, so whoever holds the leaf's private key can use it.
 */
export function forgeCertificate(options: {
  /** PEM of the leaf to copy; further certificates in the text are ignored. */
  readonly leaf: string;
  readonly uris: readonly string[];
  readonly signingKey: KeyObject;
  /** Common name of another issuer; absent keeps the leaf's. */
  readonly issuer?: string;
}): string {
  const certificate = asn1.fromDer(forge.util.createBuffer(new X509Certificate(options.leaf).raw.toString("binary")));
  const [body, algorithm] = children(certificate);
  if (body === undefined || algorithm === undefined) throw new TypeError("the leaf is not a certificate");
  const fields = children(body);
  // TBSCertificate: [0] version, serial, signature, issuer, validity, subject, subjectPublicKeyInfo, [3] extensions.
  fields[1] = primitive(asn1.Type.INTEGER, `\u0001${randomBytes(15).toString("binary")}`);
  if (options.issuer !== undefined) fields[3] = commonName(options.issuer);
  replaceSubjectAltName(fields[7], options.uris);
  const signed = Buffer.from(asn1.toDer(body).getBytes(), "binary");
  const signature = sign("sha256", signed, options.signingKey);
  const whole = sequence([body, algorithm, primitive(asn1.Type.BITSTRING, `\u0000${signature.toString("binary")}`)]);
  return new X509Certificate(Buffer.from(asn1.toDer(whole).getBytes(), "binary")).toString();
}

function replaceSubjectAltName(extensions: Asn1 | undefined, uris: readonly string[]): void {
  const oid = asn1.oidToDer(SUBJECT_ALT_NAME).getBytes();
  for (const extension of children(children(extensions)[0])) {
    const parts = children(extension);
    if (parts[0]?.value !== oid) continue;
    const names = uris.map((uri) => asn1.create(asn1.Class.CONTEXT_SPECIFIC, SUBJECT_ALT_NAME_URI, false, uri));
    parts[parts.length - 1] = primitive(asn1.Type.OCTETSTRING, asn1.toDer(sequence(names)).getBytes());
  }
}

function commonName(text: string): Asn1 {
  const name = sequence([
    primitive(asn1.Type.OID, asn1.oidToDer(COMMON_NAME).getBytes()),
    primitive(asn1.Type.UTF8, text),
  ]);
  return sequence([asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SET, true, [name])]);
}

function children(node: Asn1 | undefined): Asn1[] {
  return Array.isArray(node?.value) ? node.value : [];
}

function sequence(parts: Asn1[]): Asn1 {
  return asn1.create(asn1.Class.UNIVERSAL, asn1.Type.SEQUENCE, true, parts);
}

function primitive(type: forge.asn1.Type, bytes: string): Asn1 {
  return asn1.create(asn1.Class.UNIVERSAL, type, false, bytes);
}
