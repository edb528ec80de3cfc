import { createPublicKey, type KeyObject, sign, X509Certificate } from "node:crypto";
import { normalizeSerial, type SpiffeId, type TrustDomain } from "../spiffe/index.ts";
import { CaError } from "./ca-error.ts";
import {
  type Asn1,
  childrenOf,
  contentOf,
  explicit,
  oid,
  oidOf,
  parseDer,
  sequence,
  set,
  Tag,
  TagClass,
  time,
  toDer,
  unsignedInteger,
  utf8String,
} from "./der.ts";
import { caExtensions, type HostNames, leafExtensions } from "./extensions.ts";
import { leafToBeSigned, signedDer } from "./leaf-writer.ts";
import { OID } from "./oids.ts";
import { keyIdOf, spkiOf } from "./public-key.ts";

/** A signing certificate with its key. */
export interface Issuer {
  readonly certificate: X509Certificate;
  readonly privateKey: KeyObject;
  /** The certificate's subject, byte for byte: what its leaves carry as issuer. */
  readonly subject: Asn1;
  /** The same as DER. */
  readonly subjectDer: Buffer;
  readonly keyId: Buffer;
  readonly notAfter: Date;
}

/** A span of validity; both ends count, whole seconds. */
export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** A certificate as it has just been signed. */
export interface SignedCertificate extends Validity {
  readonly der: Buffer;
  /** Lower-case hex without leading zeros. */
  readonly serial: string;
}

/** Bytes of a serial number, from a source of randomness. */
export type RandomBytes = (size: number) => Buffer;

/** What every certificate needs, whatever its profile. */
interface Template {
  readonly serial: Buffer;
  readonly issuer: Asn1;
  readonly subject: Asn1;
  readonly validity: Validity;
  readonly publicKey: KeyObject;
  readonly extensions: readonly Asn1[];
}

/** 128 random bits. */
const SERIAL_BYTES = 16;
/** Bytes of the key identifier in a signing certificate's common name. */
const NAME_KEY_ID_BYTES = 4;
/** Leaves room for the rest of a common name, which X.520 cuts at 64 characters. */
const NAME_TRUST_DOMAIN_CHARS = 40;

/** Signs a root with its own key: `spiffe://<trust domain>` as URI, no limit of path length. */
export function signRoot(parts: {
  readonly trustDomain: TrustDomain;
  readonly key: KeyObject;
  readonly validity: Validity;
  readonly random: RandomBytes;
}): Issuer {
  const publicKey = createPublicKey(parts.key);
  const keyId = keyIdOf(publicKey);
  const subject = caName(parts.trustDomain, "root", keyId);
  const extensions = caExtensions({ uri: `spiffe://${parts.trustDomain}`, keyId, issuerKeyId: keyId });
  const serial = serialOf(parts.random);
  const template = { serial, issuer: subject, subject, validity: parts.validity, publicKey, extensions };
  return issuerOf(new X509Certificate(signCertificate(template, parts.key).der), parts.key);
}

/** Signs an intermediate that may sign leaves and nothing above them: path length 0. */
export function signIntermediate(parts: {
  readonly trustDomain: TrustDomain;
  readonly key: KeyObject;
  readonly issuer: Issuer;
  readonly validity: Validity;
  readonly random: RandomBytes;
}): Issuer {
  return issuerOf(signIntermediateFor({ ...parts, publicKey: createPublicKey(parts.key) }), parts.key);
}

/** The same for a key that is not at hand. */
export function signIntermediateFor(parts: {
  readonly trustDomain: TrustDomain;
  readonly publicKey: KeyObject;
  readonly issuer: Issuer;
  readonly validity: Validity;
  readonly random: RandomBytes;
}): X509Certificate {
  const { issuer, publicKey } = parts;
  const keyId = keyIdOf(publicKey);
  const uri = `spiffe://${parts.trustDomain}`;
  const extensions = caExtensions({ uri, keyId, issuerKeyId: issuer.keyId, pathLength: 0 });
  const subject = caName(parts.trustDomain, "intermediate", keyId);
  const validity = capped(parts.validity, issuer);
  const template = { serial: serialOf(parts.random), issuer: issuer.subject, subject, validity, publicKey, extensions };
  return new X509Certificate(signCertificate(template, issuer.privateKey).der);
}

/**
 * Signs an existing root's name and key by another root, for those who know only the other one yet. The new certificate
 * says the same as the root itself.
 */
export function crossSign(parts: {
  readonly trustDomain: TrustDomain;
  readonly root: Issuer;
  readonly issuer: Issuer;
  readonly validity: Validity;
  readonly random: RandomBytes;
}): X509Certificate {
  const { issuer, root } = parts;
  const uri = `spiffe://${parts.trustDomain}`;
  const { publicKey } = root.certificate;
  const extensions = caExtensions({ uri, keyId: root.keyId, issuerKeyId: issuer.keyId });
  const names = { issuer: issuer.subject, subject: root.subject };
  const template = { serial: serialOf(parts.random), ...names, validity: capped(parts.validity, issuer), publicKey };
  return new X509Certificate(signCertificate({ ...template, extensions }, issuer.privateKey).der);
}

/**
 * Signs an X.509-SVID: empty subject, exactly one URI, a path that is not the root, no longer valid than its
 * issuer. `hosts`, also an empty one, is for the authority's own TLS certificate alone. Throws `ERR_CA_PROFILE`.
 */
export function signLeaf(parts: {
  readonly id: SpiffeId;
  readonly publicKey: KeyObject;
  readonly issuer: Issuer;
  readonly validity: Validity;
  readonly random: RandomBytes;
  readonly hosts?: HostNames;
}): SignedCertificate {
  const { id, issuer, publicKey } = parts;
  if (id.path === "") throw new CaError("ERR_CA_PROFILE", `an X.509-SVID needs an identity with a path: \`${id}\``);
  const keys = { keyId: keyIdOf(publicKey), issuerKeyId: issuer.keyId };
  const validity = capped(parts.validity, issuer);
  const serial = serialOf(parts.random);
  if (parts.hosts === undefined) {
    const about = { serial, issuerName: issuer.subjectDer, spki: spkiOf(publicKey), uri: id.toString() };
    return signDer(leafToBeSigned({ ...about, ...keys, ...validity }), { serial, validity, key: issuer.privateKey });
  }
  const extensions = leafExtensions({ uri: id.toString(), hosts: parts.hosts, ...keys });
  const names = { issuer: issuer.subject, subject: sequence() };
  return signCertificate({ serial, validity, publicKey, extensions, ...names }, issuer.privateKey);
}

/** A signing certificate and its key, read back. INVARIANT: the two belong together; callers check it. */
export function issuerOf(certificate: X509Certificate, privateKey: KeyObject): Issuer {
  const subject = subjectOf(certificate.raw);
  const keyId = statedKeyIdOf(certificate.raw) ?? keyIdOf(certificate.publicKey);
  const notAfter = new Date(certificate.validTo);
  return Object.freeze({ certificate, privateKey, subject, subjectDer: toDer(subject), keyId, notAfter });
}

/** A certificate's serial: lower-case hex without leading zeros. */
export function serialNumberOf(certificate: X509Certificate): string {
  return normalizeSerial(certificate.serialNumber);
}

function signCertificate(template: Template, key: KeyObject): SignedCertificate {
  const { serial, validity } = template;
  const algorithm = sequence(oid(OID.ecdsaWithSha256));
  const tbs = sequence(
    explicit(0, unsignedInteger(Buffer.from([2]))),
    unsignedInteger(serial),
    algorithm,
    template.issuer,
    sequence(time(validity.notBefore), time(validity.notAfter)),
    template.subject,
    parseDer(spkiOf(template.publicKey)),
    explicit(3, sequence(...template.extensions)),
  );
  return signDer(toDer(tbs), { serial, validity, key });
}

function signDer(
  toBeSigned: Buffer,
  { key, serial, validity }: { readonly key: KeyObject; readonly serial: Buffer; readonly validity: Validity },
): SignedCertificate {
  const der = signedDer(toBeSigned, sign("sha256", toBeSigned, key));
  return { der, serial: normalizeSerial(serial.toString("hex")), ...validity };
}

/** Names the key, so that two authorities of one trust domain never share a name. */
function caName(trustDomain: TrustDomain, role: "root" | "intermediate", keyId: Buffer): Asn1 {
  const mark = keyId.subarray(0, NAME_KEY_ID_BYTES).toString("hex");
  const name = `${trustDomain.slice(0, NAME_TRUST_DOMAIN_CHARS)} ${role} ${mark}`;
  const attribute = (id: string, text: string) => set(sequence(oid(id), utf8String(text)));
  return sequence(attribute(OID.organizationName, "Cellwall"), attribute(OID.commonName, name));
}

function capped(validity: Validity, issuer: Issuer): Validity {
  const notAfter = new Date(Math.min(validity.notAfter.getTime(), issuer.notAfter.getTime()));
  if (notAfter <= validity.notBefore) throw new CaError("ERR_CA_PROFILE", "the issuing certificate has expired");
  return { notBefore: validity.notBefore, notAfter };
}

function serialOf(random: RandomBytes): Buffer {
  for (;;) {
    const serial = random(SERIAL_BYTES);
    if (serial.some((byte) => byte !== 0)) return serial;
  }
}

/** The key identifier that a certificate states, which its leaves must repeat: others compute theirs in other ways. */
function statedKeyIdOf(der: Buffer): Buffer | undefined {
  const [tbs] = childrenOf(parseDer(der), Tag.SEQUENCE);
  const tagged = childrenOf(tbs, Tag.SEQUENCE).find(
    (node) => node.tagClass === TagClass.CONTEXT_SPECIFIC && node.type === 3,
  );
  if (tagged === undefined) return undefined;
  const [list] = childrenOf(tagged, 3, TagClass.CONTEXT_SPECIFIC);
  for (const extension of childrenOf(list, Tag.SEQUENCE)) {
    const [id, ...rest] = childrenOf(extension, Tag.SEQUENCE);
    if (oidOf(id) !== OID.subjectKeyIdentifier) continue;
    return contentOf(parseDer(contentOf(rest.at(-1), Tag.OCTETSTRING)), Tag.OCTETSTRING);
  }
  return undefined;
}

/** The subject's tree: field 5 of a version 3 certificate (version, serial, algorithm, issuer, validity, subject). */
function subjectOf(der: Buffer): Asn1 {
  const [tbs] = childrenOf(parseDer(der), Tag.SEQUENCE);
  const subject = childrenOf(tbs, Tag.SEQUENCE)[5];
  if (subject === undefined) throw new Error("a certificate without a subject");
  return subject;
}
