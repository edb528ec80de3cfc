import type { X509Certificate } from "node:crypto";
import { type CertificateDetails, readCertificate } from "./certificate.ts";
import { type PathRefusal, refusePath } from "./certification-path.ts";
import { readLeaf } from "./profile.ts";
import { refuse } from "./spiffe-error.ts";
import type { SpiffeId } from "./spiffe-id.ts";
import type { TrustBundle } from "./trust-bundle.ts";

/** A verified identity and the certificate that carries it, or why there is none. */
export type VerifyX509SvidResult =
  | { readonly ok: true; readonly id: SpiffeId; readonly leaf: X509Certificate }
  | PathRefusal;

/** The most certificates of one chain. */
export const MAX_CHAIN_CERTIFICATES = 8;

/**
 * Verifies an X.509-SVID (X509-SVID, section 5): its leaf has the profile, and a path leads from it over the given
 * intermediates, in any order, to an authority in the bundle of the leaf's own trust domain. All certificates of the
 * path are valid at `at`. Never throws; every refusal has a code of its own (`CertificateErrorCode`, `ChainErrorCode`).
 */
export function verifyX509Svid(
  chain: readonly X509Certificate[],
  bundle: TrustBundle,
  { at }: { readonly at: Date },
): VerifyX509SvidResult {
  const [leaf, ...intermediates] = chain;
  if (leaf === undefined) return refuse("ERR_SPIFFE_CHAIN_EMPTY", "there is no certificate");
  if (chain.length > MAX_CHAIN_CERTIFICATES) {
    return refuse("ERR_SPIFFE_CHAIN_TOO_LONG", `a chain has at most ${MAX_CHAIN_CERTIFICATES} certificates`);
  }
  const read = readCertificate(leaf);
  if (!read.ok) return read;
  const identity = readLeaf(read.details);
  if (!identity.ok) return identity;
  // SECURITY: a bundle vouches for identities of its own trust domain only.
  if (identity.id.trustDomain !== bundle.trustDomain) {
    const message = `\`${identity.id}\` is not of trust domain \`${bundle.trustDomain}\``;
    return refuse("ERR_SPIFFE_CHAIN_TRUST_DOMAIN", message);
  }
  const search = {
    leaf: read.details,
    intermediates: readable(intermediates),
    anchors: readable(bundle.x509Authorities),
    at,
  };
  return refusePath(search) ?? { ok: true, id: identity.id, leaf };
}

/** An issuer that cannot be read leads nowhere; the others may still lead to an anchor. */
function readable(certificates: readonly X509Certificate[]): CertificateDetails[] {
  return certificates.flatMap((certificate) => {
    const read = readCertificate(certificate);
    return read.ok ? [read.details] : [];
  });
}
