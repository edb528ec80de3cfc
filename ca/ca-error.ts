/** Stable codes of `CaError`. */
export type CaErrorCode =
  /** The store or the key folder belongs to another trust domain. */
  | "ERR_CA_TRUST_DOMAIN"
  /** Keys and certificates on disk do not belong together, or one of them is missing. */
  | "ERR_CA_STATE"
  /** A private key's file cannot be read, is no P-256 key, or is open to others. */
  | "ERR_CA_KEY_FILE"
  /** Lifetimes that cannot all hold. */
  | "ERR_CA_LIFETIME"
  /** A root or an intermediate that was brought and cannot be used. */
  | "ERR_CA_IMPORT"
  /** A file to take away that cannot be made. */
  | "ERR_CA_EXPORT"
  /** The database has less than was written here once. */
  | "ERR_CA_LOSS"
  /** A replacement that would not do what is meant. */
  | "ERR_CA_ROTATION"
  /** The key that would have to sign is not kept here. */
  | "ERR_CA_OFFLINE"
  /** A token was asked for that cannot be issued. */
  | "ERR_CA_JWT_REQUEST"
  /** A certificate was asked for that the profile does not allow. */
  | "ERR_CA_PROFILE"
  /** A certificate request that is malformed, of another key type, badly signed, or names another identity. */
  | "ERR_CA_CSR"
  /** A join token that is unknown, of another authority, or whose secret is wrong. */
  | "ERR_CA_JOIN_TOKEN"
  | "ERR_CA_JOIN_TOKEN_EXPIRED"
  /** A join token that has been used already. */
  | "ERR_CA_JOIN_TOKEN_USED"
  /** A node that no `Node` document names. */
  | "ERR_CA_UNKNOWN_NODE"
  /** A node whose `Node` document does not allow this way to join. */
  | "ERR_CA_ATTESTATION"
  /** A node that has no agent certificate in force. */
  | "ERR_CA_NOT_ENROLLED"
  /** An identity that no `Workload` document names. */
  | "ERR_CA_UNREGISTERED"
  /** A workload whose `runsOn` does not select the asking node. */
  | "ERR_CA_NOT_ON_NODE"
  /** Another authority issues the certificates of this mesh's workloads. */
  | "ERR_CA_EXTERNAL_ISSUER"
  /** The identity, node or certificate has been revoked. */
  | "ERR_CA_REVOKED"
  /** A revocation that does not name exactly one thing, or names it in a form that cannot be read. */
  | "ERR_CA_REVOKE_REQUEST"
  /** A serial that the ledger does not hold. */
  | "ERR_CA_UNKNOWN_SERIAL"
  /** A certificate or identity of the system itself, which revocation does not reach. */
  | "ERR_CA_NOT_REVOCABLE"
  /** A policy set with errors, or of another trust domain. */
  | "ERR_CA_POLICY_SET"
  /** The authority has been closed. */
  | "ERR_CA_CLOSED";

/** The certificate authority refused, or cannot work. */
export class CaError extends Error {
  readonly code: CaErrorCode;
  readonly hint: string | undefined;

  constructor(
    code: CaErrorCode,
    message: string,
    options: { readonly hint?: string | undefined; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "CaError";
    this.code = code;
    this.hint = options.hint;
  }
}
