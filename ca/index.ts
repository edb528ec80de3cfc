/** The certificate authority: keys, identities, nodes, revocation, ledger, signed policy bundles. */
export { type Brought, privateKeyFromPem } from "./bring.ts";
export { CaError, type CaErrorCode } from "./ca-error.ts";
export { canonicalJson } from "./canonical-json.ts";
export { type CeremonyParts, makeOfflineRoot, signRequest } from "./ceremony.ts";
export type { CaChange, CertificateAuthority } from "./certificate-authority.ts";
export type { CaCounters } from "./counters.ts";
export { encryptKey } from "./encrypted-key.ts";
export type { AttestedNode, SystemSvidOptions } from "./issuing.ts";
export { checkEntries, type LedgerCheck, type LedgerEntry, type LedgerQuery } from "./ledger.ts";
export type { Lifetimes } from "./lifetimes.ts";
export {
  type CaOptions,
  lossOf,
  openCertificateAuthority,
  recoverCertificateAuthority,
  requestCertificate,
} from "./open.ts";
export { type Pkcs12, pkcs12 } from "./pkcs12.ts";
export type { Provenance, PublishOutcome } from "./policy-bundles.ts";
export type { Recovery } from "./recover.ts";
export type { EnrolmentRefusal } from "./refusal.ts";
export { registryOf } from "./registry.ts";
export type { TrustNotice } from "./rotation.ts";
export type { Timers } from "./timers.ts";
