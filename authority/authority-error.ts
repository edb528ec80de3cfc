import type { Diagnostic } from "../policies/index.ts";

/** Stable codes of `AuthorityError`. */
export type AuthorityErrorCode =
  /** No certificate, or one that is not a live agent's; or no valid admin token. */
  | "ERR_AUTHORITY_UNAUTHENTICATED"
  /** A token that no node's `attest` takes. */
  | "ERR_AUTHORITY_ATTESTATION"
  /** A token issuer's keys cannot be had now. */
  | "ERR_AUTHORITY_ISSUER_KEYS"
  /** Known, but not allowed here. */
  | "ERR_AUTHORITY_FORBIDDEN"
  /** The certificate, the identity or the node is revoked. */
  | "ERR_AUTHORITY_REVOKED"
  /** A loopback connection that names another host. */
  | "ERR_AUTHORITY_HOST"
  /** A browser's request from another origin. */
  | "ERR_AUTHORITY_ORIGIN"
  | "ERR_AUTHORITY_NOT_FOUND"
  | "ERR_AUTHORITY_METHOD"
  | "ERR_AUTHORITY_MEDIA_TYPE"
  | "ERR_AUTHORITY_BODY"
  | "ERR_AUTHORITY_BODY_TOO_LARGE"
  | "ERR_AUTHORITY_QUERY"
  /** Nothing was published yet. */
  | "ERR_AUTHORITY_NO_BUNDLE"
  /** A published set has errors; the last good one stays in force. */
  | "ERR_AUTHORITY_POLICIES_REFUSED"
  /** No publish of that id waits for approval. */
  | "ERR_AUTHORITY_PENDING"
  /** What it was about has changed meanwhile. */
  | "ERR_AUTHORITY_CONFLICT"
  /** A set of another trust domain than the authority's. */
  | "ERR_AUTHORITY_TRUST_DOMAIN"
  /** The address cannot be listened on. */
  | "ERR_AUTHORITY_LISTEN"
  /** A certificate in files cannot be used. */
  | "ERR_AUTHORITY_CERTIFICATE"
  /** No such trust domain is federated. */
  | "ERR_AUTHORITY_NOT_FEDERATED"
  | "ERR_AUTHORITY_CLOSING"
  | "ERR_AUTHORITY_INTERNAL";

/** HTTP status of each code. */
export const HTTP_STATUS: Readonly<Record<AuthorityErrorCode, number>> = {
  ERR_AUTHORITY_UNAUTHENTICATED: 401,
  ERR_AUTHORITY_ATTESTATION: 401,
  ERR_AUTHORITY_ISSUER_KEYS: 503,
  ERR_AUTHORITY_FORBIDDEN: 403,
  ERR_AUTHORITY_REVOKED: 403,
  ERR_AUTHORITY_HOST: 421,
  ERR_AUTHORITY_ORIGIN: 403,
  ERR_AUTHORITY_NOT_FOUND: 404,
  ERR_AUTHORITY_METHOD: 405,
  ERR_AUTHORITY_MEDIA_TYPE: 415,
  ERR_AUTHORITY_BODY: 400,
  ERR_AUTHORITY_BODY_TOO_LARGE: 413,
  ERR_AUTHORITY_QUERY: 400,
  ERR_AUTHORITY_NO_BUNDLE: 404,
  ERR_AUTHORITY_POLICIES_REFUSED: 422,
  ERR_AUTHORITY_PENDING: 404,
  ERR_AUTHORITY_CONFLICT: 409,
  ERR_AUTHORITY_TRUST_DOMAIN: 422,
  ERR_AUTHORITY_LISTEN: 500,
  ERR_AUTHORITY_CERTIFICATE: 500,
  ERR_AUTHORITY_NOT_FEDERATED: 404,
  ERR_AUTHORITY_CLOSING: 503,
  ERR_AUTHORITY_INTERNAL: 500,
};

/** What `AuthorityError` takes besides code and message. */
export interface AuthorityErrorOptions {
  readonly hint?: string | undefined;
  readonly diagnostics?: readonly Diagnostic[];
  readonly cause?: unknown;
}

/** Something the authority refuses or cannot do. */
export class AuthorityError extends Error {
  readonly code: AuthorityErrorCode;
  /** What to do about it; absent where the message says it all. */
  readonly hint: string | undefined;
  /** The findings of a refused policy set. */
  readonly diagnostics: readonly Diagnostic[] | undefined;

  constructor(code: AuthorityErrorCode, message: string, options: AuthorityErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "AuthorityError";
    this.code = code;
    this.hint = options.hint;
    this.diagnostics = options.diagnostics;
  }
}
