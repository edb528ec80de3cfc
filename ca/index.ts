/** The certificate authority: keys, identities, nodes, revocation, ledger, signed policy bundles. */
export { CaError, type CaErrorCode } from "./ca-error.ts";
export { canonicalJson } from "./canonical-json.ts";
export type { CaChange, CertificateAuthority } from "./certificate-authority.ts";
export type { CaCounters } from "./counters.ts";
export type { AttestedNode, SystemSvidOptions } from "./issuing.ts";
export { checkEntries, type LedgerCheck, type LedgerEntry, type LedgerQuery } from "./ledger.ts";
export type { Lifetimes } from "./lifetimes.ts";
export { type CaOptions, openCertificateAuthority, recoverCertificateAuthority } from "./open.ts";
export type { Provenance, PublishOutcome } from "./policy-bundles.ts";
export type { Recovery } from "./recover.ts";
export type { EnrolmentRefusal } from "./refusal.ts";
export type { TrustNotice } from "./rotation.ts";
export { registryOf } from "./registry.ts";
export type { Timers } from "./timers.ts";
