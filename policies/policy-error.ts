/** Codes that `PolicyError` is thrown with. Codes of diagnostics are strings of their own (`Diagnostic.code`). */
export type PolicyErrorCode =
  | "ERR_POLICY_SET_HAS_ERRORS"
  | "ERR_POLICY_SHARD"
  | "ERR_POLICY_SHARDS_DISAGREE"
  | "ERR_POLICY_WITNESS";

/** A policy set or shard that cannot be used. */
export class PolicyError extends Error {
  readonly code: PolicyErrorCode;
  readonly hint: string | undefined;

  constructor(
    code: PolicyErrorCode,
    message: string,
    options: { readonly hint?: string; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "PolicyError";
    this.code = code;
    this.hint = options.hint;
  }
}
