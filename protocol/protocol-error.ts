/** Stable codes of `ProtocolError`. */
export type ProtocolErrorCode = "ERR_PROTOCOL_JOIN_TOKEN" | "ERR_PROTOCOL_MESSAGE" | "ERR_PROTOCOL_FORMAT";

/** A message between agent and authority that is not what the protocol says. */
export class ProtocolError extends Error {
  readonly code: ProtocolErrorCode;
  readonly hint: string | undefined;

  constructor(
    code: ProtocolErrorCode,
    message: string,
    options: { readonly hint?: string; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "ProtocolError";
    this.code = code;
    this.hint = options.hint;
  }
}
