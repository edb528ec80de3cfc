import { X509Certificate } from "node:crypto";
import { systemId, type TrustBundle, verifyX509Svid } from "../../spiffe/index.ts";

/** A certificate as Node gives it of a TLS peer. */
export interface ShownCertificate {
  readonly raw: Buffer;
  readonly issuerCertificate?: unknown;
}

/** Why the owner of a chain is not the authority of this trust domain; undefined where it is. Roots in the chain are left out. */
export function authorityProblem(chain: readonly X509Certificate[], trust: TrustBundle, at: Date): string | undefined {
  const issued = chain.filter((certificate) => !isSelfIssued(certificate));
  const verified = verifyX509Svid(issued, trust, { at });
  if (!verified.ok) return verified.message;
  const expected = systemId(trust.trustDomain, "authority").toString();
  return verified.id.toString() === expected ? undefined : `it is \`${verified.id}\`, not \`${expected}\``;
}

/** The certificates that a peer showed, leaf first. */
export function peerChain(leaf: ShownCertificate): X509Certificate[] {
  const chain: X509Certificate[] = [];
  let next: unknown = leaf;
  while (isRawCertificate(next) && chain.length < 10) {
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
