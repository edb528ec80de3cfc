import type { CertificateDetails } from "./certificate.ts";
import { refuseAnyCertificate, refuseIssuerUsage } from "./profile.ts";
import { type CertificateErrorCode, type ChainErrorCode, type Refusal, refuse } from "./spiffe-error.ts";

/** Why a leaf is not vouched for. */
export type PathRefusal = Refusal<ChainErrorCode | CertificateErrorCode>;

/** From where to where a path is sought. */
export interface PathSearch {
  readonly leaf: CertificateDetails;
  /** In any order; those that lead nowhere do no harm. */
  readonly intermediates: readonly CertificateDetails[];
  readonly anchors: readonly CertificateDetails[];
  readonly at: Date;
}

/** Signatures checked for one leaf; keeps crosswise certified issuers from multiplying the work. */
const MAX_SIGNATURE_CHECKS = 64;

const SIGNATURE_ALGORITHMS: ReadonlySet<string> = new Set([
  "1.2.840.10045.4.3.2", // ecdsa-with-SHA256
  "1.2.840.10045.4.3.3", // ecdsa-with-SHA384
  "1.2.840.10045.4.3.4", // ecdsa-with-SHA512
  "1.2.840.113549.1.1.11", // sha256WithRSAEncryption
  "1.2.840.113549.1.1.12", // sha384WithRSAEncryption
  "1.2.840.113549.1.1.13", // sha512WithRSAEncryption
  "1.3.101.112", // Ed25519
]);

interface Work extends PathSearch {
  signatureChecks: number;
}

/**
 * Seeks a path from the leaf over the intermediates to an anchor (RFC 5280, section 6), depth first; gives back why
 * there is none, or nothing when there is one. Anchors are held to the same rules as every other issuer.
 */
export function refusePath(search: PathSearch): PathRefusal | undefined {
  return refuseValidity(search.leaf, search.at) ?? climb([search.leaf], { ...search, signatureChecks: 0 });
}

/** One step up from the last certificate of a path that is sound so far. */
function climb(path: readonly [CertificateDetails, ...CertificateDetails[]], work: Work): PathRefusal | undefined {
  const child = path.at(-1) ?? path[0];
  let why: PathRefusal | undefined;
  for (const { issuer, isAnchor } of issuersOf(child, path, work)) {
    const refusal = refuseIssuer(issuer, path, work) ?? (isAnchor ? undefined : climb([...path, issuer], work));
    if (refusal === undefined) return undefined;
    why = weightier(why, refusal);
  }
  return (
    why ?? refuse("ERR_SPIFFE_CHAIN_UNKNOWN_AUTHORITY", "the chain does not lead to an authority of the trust bundle")
  );
}

/** Certificates whose subject is the child's issuer, byte for byte; anchors first. */
function issuersOf(child: CertificateDetails, path: readonly CertificateDetails[], search: PathSearch) {
  const named = (candidate: CertificateDetails): boolean => candidate.subject === child.issuer;
  const anchors = search.anchors.filter(named).map((issuer) => ({ issuer, isAnchor: true }));
  const others = search.intermediates
    .filter((candidate) => named(candidate) && !path.includes(candidate))
    .map((issuer) => ({ issuer, isAnchor: false }));
  return [...anchors, ...others];
}

function refuseIssuer(
  issuer: CertificateDetails,
  path: readonly [CertificateDetails, ...CertificateDetails[]],
  work: Work,
): PathRefusal | undefined {
  const child = path.at(-1) ?? path[0];
  return (
    refuseSignature(child, issuer, work) ??
    refuseIssuerUsage(issuer) ??
    refuseAnyCertificate(issuer) ??
    refuseValidity(issuer, work.at) ??
    refusePathLength(issuer, path)
  );
}

function refuseSignature(child: CertificateDetails, issuer: CertificateDetails, work: Work): PathRefusal | undefined {
  if (!SIGNATURE_ALGORITHMS.has(child.signatureAlgorithm)) {
    return refuse("ERR_SPIFFE_CHAIN_ALGORITHM", `a signature in the chain is of kind \`${child.signatureAlgorithm}\``);
  }
  work.signatureChecks += 1;
  if (work.signatureChecks > MAX_SIGNATURE_CHECKS) {
    return refuse("ERR_SPIFFE_CHAIN_TOO_COMPLEX", "the chain takes too many signature checks");
  }
  return isSignedBy(child, issuer)
    ? undefined
    : refuse("ERR_SPIFFE_CHAIN_SIGNATURE", "a signature in the chain is wrong");
}

function isSignedBy(child: CertificateDetails, issuer: CertificateDetails): boolean {
  try {
    return child.certificate.verify(issuer.publicKey);
  } catch {
    return false;
  }
}

function refuseValidity(certificate: CertificateDetails, at: Date): PathRefusal | undefined {
  // SECURITY: written so that an invalid date, which compares as neither smaller nor greater, refuses.
  if (!(at >= certificate.notBefore)) {
    return refuse("ERR_SPIFFE_CHAIN_NOT_YET_VALID", `valid only from ${certificate.notBefore.toISOString()}`);
  }
  if (!(at <= certificate.notAfter)) {
    return refuse("ERR_SPIFFE_CHAIN_EXPIRED", `expired at ${certificate.notAfter.toISOString()}`);
  }
  return undefined;
}

/** Intermediates below an issuer, self-issued ones not counted, against what it allows (RFC 5280, section 4.2.1.9). */
function refusePathLength(issuer: CertificateDetails, path: readonly CertificateDetails[]): PathRefusal | undefined {
  const below = path.slice(1).filter((certificate) => certificate.subject !== certificate.issuer).length;
  if (issuer.pathLength === undefined || below <= issuer.pathLength) return undefined;
  return refuse("ERR_SPIFFE_CHAIN_PATH_LENGTH", `an issuer allows ${issuer.pathLength} intermediates and has ${below}`);
}

/** Of two reasons the one that says more: a dead end or a namesake's key says less than a broken rule. */
function weightier(first: PathRefusal | undefined, second: PathRefusal): PathRefusal {
  if (first === undefined) return second;
  const weight = ({ code }: PathRefusal): number =>
    code === "ERR_SPIFFE_CHAIN_UNKNOWN_AUTHORITY" ? 0 : code === "ERR_SPIFFE_CHAIN_SIGNATURE" ? 1 : 2;
  return weight(second) > weight(first) ? second : first;
}
