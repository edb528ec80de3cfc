/** Stable codes of `EnvoyError`. */
export type EnvoyErrorCode =
  /** A text that is not a version of Envoy. */
  | "ERR_ENVOY_VERSION"
  /** A version of Envoy with published bypasses, or one too old for what was asked. */
  | "ERR_ENVOY_TOO_OLD"
  /** No binary of Envoy was found, or the one found does not run. */
  | "ERR_ENVOY_BINARY"
  /** A sidecar that cannot be rendered from this workload. */
  | "ERR_ENVOY_CONFIG"
  /** Secrets that no sidecar may get: key and leaf differ, leaf not of the bundle, bundle empty or unreadable. */
  | "ERR_ENVOY_SECRETS";

/** What `EnvoyError` takes besides code and message. */
export interface EnvoyErrorOptions {
  readonly hint?: string;
  readonly cause?: unknown;
}

/** Something about Envoy that cannot be done: its binary, its configuration or its secrets. */
export class EnvoyError extends Error {
  readonly code: EnvoyErrorCode;
  /** What to do about it; absent where the message says it all. */
  readonly hint: string | undefined;

  constructor(code: EnvoyErrorCode, message: string, options: EnvoyErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "EnvoyError";
    this.code = code;
    this.hint = options.hint;
  }
}
