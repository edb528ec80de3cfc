import type { Diagnostic } from "../../policies/index.ts";
import { type ApiError, ProtocolError } from "../../protocol/index.ts";
import { AuthorityError, HTTP_STATUS } from "../authority-error.ts";

/** An error as it is answered: HTTP status and body. `unexpected` ones are logged, never told to the client. */
export interface Failure {
  readonly status: number;
  readonly body: ApiError;
  readonly unexpected: boolean;
}

/** The answer to whatever a handler threw. */
export function failureOf(error: unknown): Failure {
  if (error instanceof AuthorityError) {
    return known(HTTP_STATUS[error.code], error.code, error.message, error.hint, error.diagnostics);
  }
  // A path whose percent-encoding cannot be decoded names nothing.
  if (error instanceof URIError) return known(404, "ERR_AUTHORITY_NOT_FOUND", "there is no such resource");
  if (error instanceof ProtocolError) return known(400, error.code, error.message, error.hint);
  const body = bodyFailure(error) ?? certificateAuthorityFailure(error);
  if (body !== undefined) return body;
  return {
    ...known(500, "ERR_AUTHORITY_INTERNAL", "the authority failed to answer", "its log says why"),
    unexpected: true,
  };
}

/** Codes of the certificate authority that tell the caller what it did wrong; any other one is an internal failure. */
const CA_STATUS: ReadonlyMap<string, number> = new Map([
  ["ERR_CA_PROFILE", 400],
  ["ERR_CA_CSR", 400],
  ["ERR_CA_REVOKE_REQUEST", 400],
  ["ERR_CA_JWT_REQUEST", 400],
  ["ERR_CA_JOIN_TOKEN", 401],
  ["ERR_CA_JOIN_TOKEN_EXPIRED", 401],
  ["ERR_CA_JOIN_TOKEN_USED", 401],
  ["ERR_CA_ATTESTATION", 403],
  ["ERR_CA_UNREGISTERED", 403],
  ["ERR_CA_NOT_ON_NODE", 403],
  ["ERR_CA_EXTERNAL_ISSUER", 403],
  ["ERR_CA_NOT_ENROLLED", 403],
  ["ERR_CA_REVOKED", 403],
  ["ERR_CA_UNKNOWN_NODE", 404],
  ["ERR_CA_UNKNOWN_SERIAL", 404],
  ["ERR_CA_NOT_REVOCABLE", 409],
  ["ERR_CA_OFFLINE", 409],
  ["ERR_CA_ROTATION", 409],
  ["ERR_CA_IMPORT", 400],
  ["ERR_CA_POLICY_SET", 422],
  ["ERR_CA_CLOSED", 503],
]);

function certificateAuthorityFailure(error: unknown): Failure | undefined {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return undefined;
  const status = CA_STATUS.get(error.code);
  if (status === undefined) return undefined;
  const hint = "hint" in error && typeof error.hint === "string" ? error.hint : undefined;
  return known(status, error.code, error.message, hint);
}

/** What express's body reader throws carries a `type`. */
function bodyFailure(error: unknown): Failure | undefined {
  if (!(error instanceof Error) || !("type" in error)) return undefined;
  switch (error.type) {
    case "entity.too.large":
      return known(413, "ERR_AUTHORITY_BODY_TOO_LARGE", "the request's body is too large");
    case "entity.parse.failed":
    case "request.aborted":
    case "request.size.invalid":
      return known(400, "ERR_AUTHORITY_BODY", "the request's body is not JSON");
    case "charset.unsupported":
    case "encoding.unsupported":
      return known(415, "ERR_AUTHORITY_MEDIA_TYPE", "the request's body is not JSON in UTF-8");
    default:
      return undefined;
  }
}

function known(
  status: number,
  code: string,
  message: string,
  hint?: string,
  diagnostics?: readonly Diagnostic[],
): Failure {
  const error = {
    code,
    message,
    ...(hint === undefined ? {} : { hint }),
    ...(diagnostics === undefined ? {} : { diagnostics: diagnostics.map((each) => ({ ...each })) }),
  };
  return { status, body: { error }, unexpected: false };
}
