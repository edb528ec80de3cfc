/** Stable codes of `AgentError`. */
export type AgentErrorCode =
  /** A socket path does not fit into the kernel's address, or a name cannot be part of one. */
  | "ERR_AGENT_SOCKET_PATH"
  /** The run folder cannot be used: not a folder, not ours, not writable. */
  | "ERR_AGENT_RUN_DIR"
  /** Another agent serves this run folder. */
  | "ERR_AGENT_RUN_DIR_IN_USE"
  /** Another process answers on a workload's socket. */
  | "ERR_AGENT_SOCKET_IN_USE"
  /** The state folder cannot be read or written, or holds something unreadable. */
  | "ERR_AGENT_STATE"
  /** The state folder belongs to another mesh than the join token. */
  | "ERR_AGENT_OTHER_MESH"
  /** No valid identity and no join token. */
  | "ERR_AGENT_NOT_ENROLLED"
  /** The join token is unreadable, used, expired or of another authority. */
  | "ERR_AGENT_JOIN_TOKEN"
  /** The platform's token is unreadable or refused, or the root's fingerprint is none. */
  | "ERR_AGENT_ATTESTATION"
  /** No answer from the authority. */
  | "ERR_AGENT_AUTHORITY_UNREACHABLE"
  /** The authority's certificate does not prove that it is ours. */
  | "ERR_AGENT_AUTHORITY_UNTRUSTED"
  /** The authority answered with an error. */
  | "ERR_AGENT_AUTHORITY_REFUSED"
  /** The authority's answer is not what the protocol says. */
  | "ERR_AGENT_ANSWER"
  /** An issued certificate is not the one that was asked for. */
  | "ERR_AGENT_CERTIFICATE"
  /** The port for metrics and probes, or for checks over the network, cannot be had. */
  | "ERR_AGENT_LISTEN"
  /** The agent was started twice, or used after its stop. */
  | "ERR_AGENT_LIFECYCLE";

/** Whatever keeps an agent from starting or from doing a step; denials and refused documents are values, not errors. */
export class AgentError extends Error {
  readonly code: AgentErrorCode;
  readonly hint: string | undefined;
  /** HTTP status of `ERR_AGENT_AUTHORITY_REFUSED`. */
  readonly httpStatus: number | undefined;
  /** The authority's own error code, for `ERR_AGENT_AUTHORITY_REFUSED`. */
  readonly apiCode: string | undefined;

  constructor(
    code: AgentErrorCode,
    message: string,
    options: {
      readonly hint?: string | undefined;
      readonly cause?: unknown;
      readonly httpStatus?: number | undefined;
      readonly apiCode?: string | undefined;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "AgentError";
    this.code = code;
    this.hint = options.hint;
    this.httpStatus = options.httpStatus;
    this.apiCode = options.apiCode;
  }
}

/** The message of whatever was thrown, for logs and status. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
