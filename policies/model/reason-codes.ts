/** Every reason of a decision (docs/semantics.md, "Verdict"). */
export const REASON_CODES = [
  "no-policy",
  "stale-policy",
  "unknown-destination",
  "malformed-identity",
  "untrusted-domain",
  "unregistered-identity",
  "revoked-identity",
  "system-identity",
  "ambiguous-path",
  "ambiguous-host",
  "isolated",
  "denied-by-rule",
  "allowed-by-rule",
  "no-rule-matched",
  "no-policy-protects",
  "cannot-evaluate",
  "internal-error",
] as const;

/** Why a decision came out as it did. */
export type ReasonCode = (typeof REASON_CODES)[number];
