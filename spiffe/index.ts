/** SPIFFE ids, SVIDs, trust bundles and signed documents, and their verification. */
export { certificateFromDer, publicKeyFingerprint } from "./certificate.ts";
export { type JwtSvid, MAX_TOKEN_CHARS, parseJwtSvid } from "./jwt-svid.ts";
export { matchAny, matchId, matchMemberOf, matchOneOf, type SpiffeIdMatcher } from "./matcher.ts";
export { isSelfIssued, peerChain, type ShownCertificate } from "./peer-chain.ts";
export { certificatesFromPem, certificatesToPem, revocationListToPem } from "./pem.ts";
export { MAX_ID_BYTES, MAX_TRUST_DOMAIN_BYTES } from "./scan.ts";
export { normalizeSerial, tryNormalizeSerial } from "./serial.ts";
export {
  type SignedDocument,
  signDocument,
  type VerifySignedDocumentResult,
  verifySignedDocument,
} from "./signed-document.ts";
export {
  type BundleErrorCode,
  type CertificateErrorCode,
  type ChainErrorCode,
  type DocumentErrorCode,
  type JwtErrorCode,
  type Refusal,
  SpiffeError,
  type SpiffeErrorCode,
  type SpiffeIdErrorCode,
} from "./spiffe-error.ts";
export {
  joinSpiffeId,
  parseSpiffeId,
  SpiffeId,
  type SpiffeIdResult,
  tryJoinSpiffeId,
  tryParseSpiffeId,
} from "./spiffe-id.ts";
export { agentNodeOf, isSystemId, SYSTEM_SEGMENT, type SystemRole, systemId } from "./system-id.ts";
export {
  formatTrustBundle,
  parseJwtBundle,
  parseTrustBundle,
  parseTrustBundleMap,
  type RevocationListDer,
  type TrustBundle,
} from "./trust-bundle.ts";
export { parseTrustDomain, type TrustDomain, type TrustDomainResult, tryParseTrustDomain } from "./trust-domain.ts";
export { type VerifyJwtSvidOptions, type VerifyJwtSvidResult, verifyJwtSvid } from "./verify-jwt-svid.ts";
export { MAX_CHAIN_CERTIFICATES, type VerifyX509SvidResult, verifyX509Svid } from "./verify-x509-svid.ts";
export { within } from "./within.ts";
export { parseX509Svid, type X509Svid, type X509SvidText } from "./x509-svid.ts";
