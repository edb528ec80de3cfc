import { createHash, type KeyObject, X509Certificate } from "node:crypto";
import asn1 from "node-forge/lib/asn1.js";
import {
  childrenOf,
  contentOf,
  type DerNode,
  elements,
  encodingOf,
  malformed,
  naturalHexOf,
  oidOf,
  readDer,
  timeOf,
} from "./der.ts";
import { type Extensions, readExtensions } from "./extensions.ts";
import { normalizeSerial } from "./serial.ts";
import { type CertificateErrorCode, type Refusal, refuse, SpiffeError } from "./spiffe-error.ts";

const { Class, Type } = asn1;

/** A certificate's fields, read from its original bytes. Names are DER, one byte a character. */
export interface CertificateDetails extends Extensions {
  readonly certificate: X509Certificate;
  readonly publicKey: KeyObject;
  /** Lower-case hex without leading zeros. */
  readonly serial: string;
  readonly issuer: string;
  readonly subject: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Object identifier of the algorithm that signed it. */
  readonly signatureAlgorithm: string;
}

/** A certificate's fields, or why they cannot be read. */
export type CertificateResult =
  | { readonly ok: true; readonly details: CertificateDetails }
  | Refusal<CertificateErrorCode>;

const results = new WeakMap<X509Certificate, CertificateResult>();

/** Reads a certificate (RFC 5280, section 4.1); never throws. A certificate does not change, so it is read once. */
export function readCertificate(certificate: X509Certificate): CertificateResult {
  const known = results.get(certificate);
  if (known !== undefined) return known;
  const result = tryRead(certificate);
  results.set(certificate, result);
  return result;
}

function tryRead(certificate: X509Certificate): CertificateResult {
  try {
    return { ok: true, details: Object.freeze(read(certificate)) };
  } catch (error) {
    if (error instanceof SpiffeError && error.code === "ERR_SPIFFE_CERTIFICATE_VERSION") {
      return refuse(error.code, error.message);
    }
    const why = error instanceof SpiffeError ? error.message : "malformed certificate: unreadable public key";
    return refuse("ERR_SPIFFE_CERTIFICATE_MALFORMED", why);
  }
}

function read(certificate: X509Certificate): CertificateDetails {
  const root = readDer(certificate.raw.toString("latin1"));
  const [tbs, algorithm, signature, ...rest] = childrenOf(root, Type.SEQUENCE, "certificate");
  if (signature === undefined || rest.length > 0) throw malformed("wrong number of parts");
  const fields = readFields(tbs);
  if (algorithm === undefined || encodingOf(algorithm) !== encodingOf(fields.algorithm)) {
    throw malformed("the two signature algorithms differ");
  }
  const validity = childrenOf(fields.validity, Type.SEQUENCE, "validity");
  return {
    certificate,
    publicKey: certificate.publicKey,
    serial: normalizeSerial(naturalHexOf(fields.serial, "serial number")),
    issuer: encodingOf(fields.issuer),
    subject: encodingOf(fields.subject),
    notBefore: timeOf(validity[0], "not before"),
    notAfter: timeOf(validity[1], "not after"),
    signatureAlgorithm: oidOf(childrenOf(algorithm, Type.SEQUENCE, "algorithm")[0], "algorithm"),
    ...readExtensions(fields.extensions),
  };
}

interface Fields {
  readonly serial: DerNode;
  readonly algorithm: DerNode;
  readonly issuer: DerNode;
  readonly validity: DerNode;
  readonly subject: DerNode;
  readonly extensions: DerNode | undefined;
}

function readFields(tbs: DerNode | undefined): Fields {
  const parts = childrenOf(tbs, Type.SEQUENCE, "certificate body");
  const [version, serial, algorithm, issuer, validity, subject, key, ...optional] = parts;
  if (version === undefined || version.tagClass !== Class.CONTEXT_SPECIFIC || !isVersion3(version)) {
    throw new SpiffeError("ERR_SPIFFE_CERTIFICATE_VERSION", "a certificate must be of X.509 version 3");
  }
  if (!serial || !algorithm || !issuer || !validity || !subject || !key) throw malformed("fields are missing");
  childrenOf(issuer, Type.SEQUENCE, "issuer");
  childrenOf(subject, Type.SEQUENCE, "subject");
  return { serial, algorithm, issuer, validity, subject, extensions: extensionsOf(optional) };
}

function isVersion3(node: DerNode): boolean {
  return node.type === 0 && contentOf(elements(node, "version")[0], Type.INTEGER, "version") === "\x02";
}

function extensionsOf(optional: readonly DerNode[]): DerNode | undefined {
  const [wrapper] = optional;
  if (wrapper === undefined) return undefined;
  // The two unique-identifier fields before it are obsolete (RFC 5280, section 4.1.2.8) and refused.
  const isExtensions = wrapper.tagClass === Class.CONTEXT_SPECIFIC && wrapper.type === 3;
  const inner = isExtensions ? elements(wrapper, "extensions") : [];
  if (optional.length !== 1 || inner.length !== 1) throw malformed("unknown fields after the public key");
  return inner[0];
}

/**
 * Reads one DER certificate, and nothing but one: no PEM, no trailing bytes. Throws `SpiffeError`
 * `ERR_SPIFFE_CERTIFICATE_MALFORMED`.
 */
export function certificateFromDer(der: Uint8Array): X509Certificate {
  const bytes = Buffer.from(der);
  const certificate = openCertificate(bytes);
  // SECURITY: the platform's reader also takes PEM and ignores what follows the certificate.
  if (!certificate.raw.equals(bytes)) throw malformed("stray bytes around the certificate");
  return certificate;
}

function openCertificate(bytes: Buffer): X509Certificate {
  try {
    return new X509Certificate(bytes);
  } catch (cause) {
    throw malformed("not a certificate", cause);
  }
}

/** SHA-256 over the certificate's SubjectPublicKeyInfo, lower-case hex. */
export function publicKeyFingerprint(certificate: X509Certificate): string {
  const info = certificate.publicKey.export({ type: "spki", format: "der" });
  return createHash("sha256").update(info).digest("hex");
}
