/** What a command ends with: all is well, it found something, it was called wrongly, or what it needs is not there. */
export const EXIT = { ok: 0, findings: 1, usage: 2, environment: 3 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Stable codes of `CliError`. */
export type CliErrorCode =
  /** Arguments that do not fit together, or name nothing known. */
  | "ERR_CLI_USAGE"
  /** A folder of policies that is not there, or holds none. */
  | "ERR_CLI_POLICY_FOLDER"
  /** Policies with errors where good ones are needed. */
  | "ERR_CLI_POLICIES"
  /** The authority refused a request. */
  | "ERR_CLI_REFUSED"
  /** No authority answers. */
  | "ERR_CLI_NO_AUTHORITY"
  /** The state folder is missing, unreadable or in use. */
  | "ERR_CLI_STATE"
  /** A file that cannot be read or written. */
  | "ERR_CLI_FILE"
  /** Node.js is too old. */
  | "ERR_CLI_NODE";

const EXIT_OF: Readonly<Record<CliErrorCode, ExitCode>> = {
  ERR_CLI_USAGE: EXIT.usage,
  ERR_CLI_POLICY_FOLDER: EXIT.environment,
  ERR_CLI_POLICIES: EXIT.findings,
  ERR_CLI_REFUSED: EXIT.findings,
  ERR_CLI_NO_AUTHORITY: EXIT.environment,
  ERR_CLI_STATE: EXIT.environment,
  ERR_CLI_FILE: EXIT.environment,
  ERR_CLI_NODE: EXIT.environment,
};

/** A command that cannot do what it was asked; `exitCode` is what the process ends with. */
export class CliError extends Error {
  readonly code: CliErrorCode;
  readonly exitCode: ExitCode;
  /** What to do about it; absent where the message says it all. */
  readonly hint: string | undefined;

  constructor(
    code: CliErrorCode,
    message: string,
    options: { readonly hint?: string | undefined; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "CliError";
    this.code = code;
    this.exitCode = EXIT_OF[code];
    this.hint = options.hint;
  }
}

/** The system's own code of a failed file or network operation, e.g. `ENOENT`. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ["ENOENT", "there is no such file or folder"],
  ["EACCES", "permission denied"],
  ["EPERM", "not permitted"],
  ["EISDIR", "it is a folder"],
  ["ENOTDIR", "what it lies in is no folder"],
  ["EEXIST", "it is there already"],
  ["ENOSPC", "the disk is full"],
  ["EROFS", "the file system is read-only"],
  ["ECONNREFUSED", "nothing listens there"],
]);

/** Why an operation of the system failed, in words where there are some, else by its code; undefined for any other error. */
export function systemReason(error: unknown): string | undefined {
  const code = systemCode(error);
  return code === undefined ? undefined : (REASONS.get(code) ?? code);
}
