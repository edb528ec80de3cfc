/** SPIFFE ids, SVIDs, trust bundles and signed documents, and their verification. */
export { matchAny, matchId, matchMemberOf, matchOneOf, type SpiffeIdMatcher } from "./matcher.ts";
export { MAX_ID_BYTES, MAX_TRUST_DOMAIN_BYTES } from "./scan.ts";
export { normalizeSerial, tryNormalizeSerial } from "./serial.ts";
export {
  type BundleErrorCode,
  type CertificateErrorCode,
  type ChainErrorCode,
  type DocumentErrorCode,
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
export type { TrustBundle } from "./trust-bundle.ts";
export { parseTrustDomain, type TrustDomain, type TrustDomainResult, tryParseTrustDomain } from "./trust-domain.ts";
export type { X509Svid } from "./x509-svid.ts";
