import { createPrivateKey, KeyObject, type X509Certificate } from "node:crypto";
import { type CertificateDetails, certificateFromDer, readCertificate } from "./certificate.ts";
import { certificatesFromPem } from "./pem.ts";
import { readLeaf, refuseIssuerUsage } from "./profile.ts";
import { errorOf, SpiffeError } from "./spiffe-error.ts";
import type { SpiffeId } from "./spiffe-id.ts";

/** An X.509-SVID with its private key (X509-SVID, section 2). */
export interface X509Svid {
  readonly id: SpiffeId;
  /** Leaf first, then intermediates; never the root. */
  readonly chain: readonly X509Certificate[];
  readonly privateKey: KeyObject;
  /** The leaf's serial: lower-case hex without leading zeros. */
  readonly serial: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** An SVID's parts as they are stored or sent. */
export interface X509SvidText {
  /** PEM text, or DER certificates; leaf first. */
  readonly chain: string | readonly Uint8Array[];
  /** PEM text of an unencrypted key, or a key object. */
  readonly privateKey: string | KeyObject;
}

/**
 * Reads an X.509-SVID and its key, and holds it to the profile; whether anybody trusts it is `verifyX509Svid`'s
 * question. Throws `SpiffeError` with the codes of `CertificateErrorCode`, `ERR_SPIFFE_PEM`, `ERR_SPIFFE_CHAIN_EMPTY`,
 * `ERR_SPIFFE_CHAIN_ISSUER_…`.
 */
export function parseX509Svid({ chain, privateKey }: X509SvidText): X509Svid {
  const certificates = typeof chain === "string" ? certificatesFromPem(chain) : chain.map(certificateFromDer);
  const [leaf, ...issuers] = certificates.map(details);
  if (leaf === undefined) throw new SpiffeError("ERR_SPIFFE_CHAIN_EMPTY", "there is no certificate");
  const identity = readLeaf(leaf);
  if (!identity.ok) throw errorOf(identity);
  for (const issuer of issuers) {
    const refusal = refuseIssuerUsage(issuer);
    if (refusal !== undefined) throw errorOf(refusal);
  }
  const { serial, notBefore, notAfter } = leaf;
  const key = matchingKey(leaf, privateKey);
  return Object.freeze({ id: identity.id, chain: certificates, privateKey: key, serial, notBefore, notAfter });
}

function details(certificate: X509Certificate): CertificateDetails {
  const read = readCertificate(certificate);
  if (!read.ok) throw errorOf(read);
  return read.details;
}

function matchingKey(leaf: CertificateDetails, privateKey: string | KeyObject): KeyObject {
  const key = openKey(privateKey);
  if (key.type === "private" && leaf.certificate.checkPrivateKey(key)) return key;
  throw new SpiffeError("ERR_SPIFFE_SVID_KEY_MISMATCH", "the private key is not that of the certificate");
}

function openKey(privateKey: string | KeyObject): KeyObject {
  if (privateKey instanceof KeyObject) return privateKey;
  try {
    return createPrivateKey(privateKey);
  } catch {
    // SECURITY: no cause and no excerpt, so that no part of a key reaches a log.
    throw new SpiffeError("ERR_SPIFFE_SVID_KEY_MALFORMED", "the private key is not a PEM text of a key");
  }
}
