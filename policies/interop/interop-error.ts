/** Codes that `InteropError` is thrown with. */
export type InteropErrorCode = "ERR_POLICY_INTEROP_FORMAT" | "ERR_POLICY_INTEROP_SYNTAX" | "ERR_POLICY_INTEROP_INVALID";

/** A source that cannot be read, or a format that is not known. */
export class InteropError extends Error {
  readonly code: InteropErrorCode;
  readonly hint: string | undefined;

  constructor(code: InteropErrorCode, message: string, options: { readonly hint?: string } = {}) {
    super(message);
    this.name = "InteropError";
    this.code = code;
    this.hint = options.hint;
  }
}
