import { X509Certificate } from "node:crypto";

/** A certificate as Node gives it of a TLS peer. */
export interface ShownCertificate {
  readonly raw: Buffer;
  readonly issuerCertificate?: unknown;
}

/** More than this nobody shows in good faith. */
const MAX_SHOWN = 10;

/** The certificates that a TLS peer showed, leaf first, as `getPeerCertificate(true)` gives them. */
export function peerChain(leaf: ShownCertificate): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next: unknown = leaf;
  while (isRawCertificate(next) && chain.length < MAX_SHOWN) {
    const certificate = new X509Certificate(next.raw);
    if (chain.some((seen) => seen.fingerprint256 === certificate.fingerprint256)) break;
    chain.push(certificate);
    next = next.issuerCertificate;
  }
  return chain;
}

function isRawCertificate(value: unknown): value is ShownCertificate {
  return typeof value === "object" && value !== null && "raw" in value && Buffer.isBuffer(value.raw);
}

/** Whether a certificate is its own issuer: a root, which a verified chain leaves out. */
export function isSelfIssued(certificate: X509Certificate): boolean {
  return certificate.subject === certificate.issuer && certificate.checkIssued(certificate);
}
