import type { X509Certificate } from "node:crypto";
import { isSelfIssued, systemId, type TrustBundle, verifyX509Svid } from "../../spiffe/index.ts";

export { isSelfIssued, peerChain, type ShownCertificate } from "../../spiffe/index.ts";

/** Why the owner of a chain is not the authority of this trust domain; undefined where it is. Roots in the chain are left out. */
export function authorityProblem(chain: readonly X509Certificate[], trust: TrustBundle, at: Date): string | undefined {
  const issued = chain.filter((certificate) => !isSelfIssued(certificate));
  const verified = verifyX509Svid(issued, trust, { at });
  if (!verified.ok) return verified.message;
  const expected = systemId(trust.trustDomain, "authority").toString();
  return verified.id.toString() === expected ? undefined : `it is \`${verified.id}\`, not \`${expected}\``;
}
