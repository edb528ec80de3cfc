/** Codes of a text that is not a SPIFFE ID or trust domain name (SPIFFE-ID, section 2). */
export type SpiffeIdErrorCode =
  | "ERR_SPIFFE_EMPTY"
  | "ERR_SPIFFE_SCHEME"
  | "ERR_SPIFFE_MISSING_TRUST_DOMAIN"
  | "ERR_SPIFFE_BAD_TRUST_DOMAIN_CHAR"
  | "ERR_SPIFFE_TRUST_DOMAIN_TOO_LONG"
  | "ERR_SPIFFE_EMPTY_SEGMENT"
  | "ERR_SPIFFE_DOT_SEGMENT"
  | "ERR_SPIFFE_TRAILING_SLASH"
  | "ERR_SPIFFE_BAD_PATH_CHAR"
  | "ERR_SPIFFE_TOO_LONG";

/** Codes of a certificate that cannot be read or lacks the X.509-SVID profile (X509-SVID, sections 2 to 4). */
export type CertificateErrorCode =
  | "ERR_SPIFFE_CERTIFICATE_MALFORMED"
  | "ERR_SPIFFE_CERTIFICATE_VERSION"
  | "ERR_SPIFFE_CERTIFICATE_CRITICAL_EXTENSION"
  | "ERR_SPIFFE_CERTIFICATE_NAME_CONSTRAINTS"
  | "ERR_SPIFFE_CERTIFICATE_KEY"
  | "ERR_SPIFFE_SVID_NO_URI"
  | "ERR_SPIFFE_SVID_MANY_URIS"
  | "ERR_SPIFFE_SVID_ID"
  | "ERR_SPIFFE_SVID_ROOT_PATH"
  | "ERR_SPIFFE_SVID_SAN_NOT_CRITICAL"
  | "ERR_SPIFFE_SVID_IS_CA"
  | "ERR_SPIFFE_SVID_NO_KEY_USAGE"
  | "ERR_SPIFFE_SVID_KEY_USAGE_NOT_CRITICAL"
  | "ERR_SPIFFE_SVID_SIGNING_KEY_USAGE"
  | "ERR_SPIFFE_SVID_NO_DIGITAL_SIGNATURE"
  | "ERR_SPIFFE_SVID_EXTENDED_KEY_USAGE"
  | "ERR_SPIFFE_SVID_KEY_MISMATCH"
  | "ERR_SPIFFE_SVID_KEY_MALFORMED";

/** Codes of a chain that does not lead to an anchor (RFC 5280, section 6). */
export type ChainErrorCode =
  | "ERR_SPIFFE_CHAIN_EMPTY"
  | "ERR_SPIFFE_CHAIN_TOO_LONG"
  | "ERR_SPIFFE_CHAIN_TRUST_DOMAIN"
  | "ERR_SPIFFE_CHAIN_EXPIRED"
  | "ERR_SPIFFE_CHAIN_NOT_YET_VALID"
  | "ERR_SPIFFE_CHAIN_ISSUER_NOT_CA"
  | "ERR_SPIFFE_CHAIN_ISSUER_KEY_USAGE"
  | "ERR_SPIFFE_CHAIN_ISSUER_EXTENDED_KEY_USAGE"
  | "ERR_SPIFFE_CHAIN_PATH_LENGTH"
  | "ERR_SPIFFE_CHAIN_ALGORITHM"
  | "ERR_SPIFFE_CHAIN_SIGNATURE"
  | "ERR_SPIFFE_CHAIN_UNKNOWN_AUTHORITY"
  | "ERR_SPIFFE_CHAIN_TOO_COMPLEX";

/** Codes of a trust bundle document that cannot be used (SPIFFE Trust Domain and Bundle, section 4). */
export type BundleErrorCode =
  | "ERR_SPIFFE_BUNDLE_JSON"
  | "ERR_SPIFFE_BUNDLE_DUPLICATE_KEY"
  | "ERR_SPIFFE_BUNDLE_SHAPE"
  | "ERR_SPIFFE_BUNDLE_SEQUENCE"
  | "ERR_SPIFFE_BUNDLE_REFRESH_HINT"
  | "ERR_SPIFFE_BUNDLE_ENTRY";

/** Codes of a signed document that does not verify (docs/architecture.md, "Signature"). */
export type DocumentErrorCode =
  | "ERR_SPIFFE_DOCUMENT_FORM"
  | "ERR_SPIFFE_DOCUMENT_HEADER"
  | "ERR_SPIFFE_DOCUMENT_ALGORITHM"
  | "ERR_SPIFFE_DOCUMENT_TYPE"
  | "ERR_SPIFFE_DOCUMENT_SIGNER"
  | "ERR_SPIFFE_DOCUMENT_SIGNATURE"
  | "ERR_SPIFFE_DOCUMENT_KEY";

/** Codes of a token that is no JWT-SVID, or one that does not verify (JWT-SVID, sections 2 to 5). */
export type JwtErrorCode =
  | "ERR_SPIFFE_JWT_FORM"
  | "ERR_SPIFFE_JWT_HEADER"
  | "ERR_SPIFFE_JWT_ALGORITHM"
  | "ERR_SPIFFE_JWT_TYPE"
  | "ERR_SPIFFE_JWT_NO_KEY_ID"
  | "ERR_SPIFFE_JWT_CLAIMS"
  | "ERR_SPIFFE_JWT_SUBJECT"
  | "ERR_SPIFFE_JWT_AUDIENCE"
  | "ERR_SPIFFE_JWT_EXPIRED"
  | "ERR_SPIFFE_JWT_NOT_YET_VALID"
  | "ERR_SPIFFE_JWT_TRUST_DOMAIN"
  | "ERR_SPIFFE_JWT_UNKNOWN_AUTHORITY"
  | "ERR_SPIFFE_JWT_KEY"
  | "ERR_SPIFFE_JWT_SIGNATURE";

/** Codes of the Workload API's client, its sources and TLS. */
export type WorkloadErrorCode =
  /** `SPIFFE_ENDPOINT_SOCKET` or the address given is none. */
  | "ERR_SPIFFE_ENDPOINT"
  /** The Workload API gives this workload no identity, took it back, or the last one has expired. */
  | "ERR_SPIFFE_NO_IDENTITY"
  /** The Workload API does not answer, or not now; the same call may succeed later. */
  | "ERR_SPIFFE_UNAVAILABLE"
  /** The Workload API refuses the call itself, or does not serve it. */
  | "ERR_SPIFFE_WORKLOAD_API"
  /** The Workload API's answer cannot be read. */
  | "ERR_SPIFFE_ANSWER"
  /** The source or client is closed. */
  | "ERR_SPIFFE_CLOSED"
  /** A TLS peer that is not authorized. */
  | "ERR_SPIFFE_PEER";

/** Codes of a bundle endpoint that gives no bundle (SPIFFE Federation, section 5). */
export type EndpointErrorCode =
  /** Not https, or with credentials in it. */
  | "ERR_SPIFFE_BUNDLE_ENDPOINT_URL"
  /** No answer; the same request may succeed later. */
  | "ERR_SPIFFE_BUNDLE_ENDPOINT_UNREACHABLE"
  /** The server does not prove itself as its profile demands. */
  | "ERR_SPIFFE_BUNDLE_ENDPOINT_UNTRUSTED"
  /** The server answers with something else than a document. */
  | "ERR_SPIFFE_BUNDLE_ENDPOINT_ANSWER";

/** Every stable code of this folder. */
export type SpiffeErrorCode =
  | SpiffeIdErrorCode
  | CertificateErrorCode
  | ChainErrorCode
  | BundleErrorCode
  | DocumentErrorCode
  | JwtErrorCode
  | WorkloadErrorCode
  | EndpointErrorCode
  | "ERR_SPIFFE_SYSTEM_ROLE"
  | "ERR_SPIFFE_SERIAL"
  | "ERR_SPIFFE_PEM";

/** A refusal as a value: what `try…` and `verify…` functions return. */
export interface Refusal<Code extends SpiffeErrorCode = SpiffeErrorCode> {
  readonly ok: false;
  readonly code: Code;
  readonly message: string;
}

/** Something that claims to be a SPIFFE ID, SVID, bundle or signed document and is not. */
export class SpiffeError extends Error {
  readonly code: SpiffeErrorCode;
  readonly hint: string | undefined;

  constructor(
    code: SpiffeErrorCode,
    message: string,
    options: { readonly hint?: string; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "SpiffeError";
    this.code = code;
    this.hint = options.hint;
  }
}

/** A refusal with its code and text. */
export function refuse<Code extends SpiffeErrorCode>(code: Code, message: string): Refusal<Code> {
  return { ok: false, code, message };
}

/** Turns a refusal into the error that throwing functions throw. */
export function errorOf(refusal: Refusal): SpiffeError {
  return new SpiffeError(refusal.code, refusal.message);
}
