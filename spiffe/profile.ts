import type { KeyObject } from "node:crypto";
import type { CertificateDetails } from "./certificate.ts";
import { excerpt } from "./excerpt.ts";
import { CLIENT_AUTH, SERVER_AUTH } from "./extensions.ts";
import { type CertificateErrorCode, type ChainErrorCode, type Refusal, refuse } from "./spiffe-error.ts";
import { type SpiffeId, tryParseSpiffeId } from "./spiffe-id.ts";

type LeafResult = { readonly ok: true; readonly id: SpiffeId } | Refusal<CertificateErrorCode>;

const EMPTY_NAME = "\x30\x00";
const MIN_RSA_BITS = 2048;
const CURVES: ReadonlySet<string | undefined> = new Set(["prime256v1", "secp384r1", "secp521r1"]);

/** Judges a leaf by the X.509-SVID profile (X509-SVID, sections 2 to 5.2) and gives its identity. */
export function readLeaf(leaf: CertificateDetails): LeafResult {
  const identity = readIdentity(leaf);
  if (!identity.ok) return identity;
  return refuseLeafUsage(leaf) ?? refuseAnyCertificate(leaf) ?? identity;
}

/** exactly one URI name, and it is a SPIFFE ID with a path. */
function readIdentity(leaf: CertificateDetails): LeafResult {
  const [uri, ...others] = leaf.uris;
  if (uri === undefined) return refuse("ERR_SPIFFE_SVID_NO_URI", "the certificate has no URI name");
  if (others.length > 0) {
    return refuse("ERR_SPIFFE_SVID_MANY_URIS", `the certificate has ${leaf.uris.length} URI names instead of one`);
  }
  const read = tryParseSpiffeId(uri);
  if (!read.ok) return refuse("ERR_SPIFFE_SVID_ID", `the URI name is no SPIFFE ID: ${read.message}`);
  if (read.id.path === "") {
    return refuse("ERR_SPIFFE_SVID_ROOT_PATH", `the identity names a whole trust domain: ${excerpt(uri)}`);
  }
  return read;
}

/** what the leaf's key may be used for. */
function refuseLeafUsage(leaf: CertificateDetails): Refusal<CertificateErrorCode> | undefined {
  const { keyUsage, extendedKeyUsage } = leaf;
  if (leaf.isCa) return refuse("ERR_SPIFFE_SVID_IS_CA", "a signing certificate cannot authenticate anybody");
  if (keyUsage === undefined) return refuse("ERR_SPIFFE_SVID_NO_KEY_USAGE", "the certificate has no key usage");
  if (keyUsage.usages.has("keyCertSign") || keyUsage.usages.has("cRLSign")) {
    return refuse("ERR_SPIFFE_SVID_SIGNING_KEY_USAGE", "the key may sign certificates or revocation lists");
  }
  if (!keyUsage.usages.has("digitalSignature")) {
    return refuse("ERR_SPIFFE_SVID_NO_DIGITAL_SIGNATURE", "the key may not make digital signatures");
  }
  if (!keyUsage.critical) return refuse("ERR_SPIFFE_SVID_KEY_USAGE_NOT_CRITICAL", "the key usage is not critical");
  if (extendedKeyUsage !== undefined && !isForBothSides(extendedKeyUsage)) {
    return refuse("ERR_SPIFFE_SVID_EXTENDED_KEY_USAGE", "the extended key usage lacks server or client authentication");
  }
  if (leaf.subject === EMPTY_NAME && leaf.subjectAltName?.critical === false) {
    return refuse(
      "ERR_SPIFFE_SVID_SAN_NOT_CRITICAL",
      "the subject is empty and the alternative names are not critical",
    );
  }
  return undefined;
}

/** whether a certificate may issue others. */
export function refuseIssuerUsage(issuer: CertificateDetails): Refusal<ChainErrorCode> | undefined {
  if (!issuer.isCa) return refuse("ERR_SPIFFE_CHAIN_ISSUER_NOT_CA", "an issuer in the chain is no signing certificate");
  if (issuer.keyUsage?.usages.has("keyCertSign") !== true) {
    return refuse("ERR_SPIFFE_CHAIN_ISSUER_KEY_USAGE", "the key of an issuer in the chain may not sign certificates");
  }
  if (issuer.extendedKeyUsage !== undefined && !isForBothSides(issuer.extendedKeyUsage)) {
    return refuse("ERR_SPIFFE_CHAIN_ISSUER_EXTENDED_KEY_USAGE", "an issuer lacks server or client authentication");
  }
  return undefined;
}

/** What holds for every certificate of a path: everything critical in it is understood, and its key is a strong one. */
export function refuseAnyCertificate(certificate: CertificateDetails): Refusal<CertificateErrorCode> | undefined {
  // SECURITY: name constraints narrow what an issuer may vouch for. They are not evaluated, so they are never passed over.
  if (certificate.hasNameConstraints) {
    return refuse(
      "ERR_SPIFFE_CERTIFICATE_NAME_CONSTRAINTS",
      "a certificate has name constraints, which are not supported",
    );
  }
  const [unread] = certificate.unreadCritical;
  if (unread !== undefined) {
    return refuse("ERR_SPIFFE_CERTIFICATE_CRITICAL_EXTENSION", `a critical extension is unknown: ${excerpt(unread)}`);
  }
  return isStrongKey(certificate.publicKey)
    ? undefined
    : refuse(
        "ERR_SPIFFE_CERTIFICATE_KEY",
        "a key is neither P-256, P-384, P-521, Ed25519 nor RSA of 2048 bits or more",
      );
}

function isForBothSides(purposes: readonly string[]): boolean {
  return purposes.includes(SERVER_AUTH) && purposes.includes(CLIENT_AUTH);
}

function isStrongKey(key: KeyObject): boolean {
  const { namedCurve, modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  switch (key.asymmetricKeyType) {
    case "ec":
      return CURVES.has(namedCurve);
    case "rsa":
      return modulusLength >= MIN_RSA_BITS;
    default:
      return key.asymmetricKeyType === "ed25519";
  }
}
