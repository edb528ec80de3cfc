/** Stable codes of `StoreError`. */
export type StoreErrorCode =
  /** No SQLite driver can be loaded. */
  | "ERR_STORE_DRIVER"
  /** The database file cannot be opened, is not a database, or refuses a setting that durability rests on. */
  | "ERR_STORE_OPEN"
  /** A value that SQLite has no type for was given as a query parameter. */
  | "ERR_STORE_PARAMETER"
  /** A migration failed; nothing of it was kept. */
  | "ERR_STORE_MIGRATION";

/** The database or its driver failed. */
export class StoreError extends Error {
  readonly code: StoreErrorCode;
  readonly hint: string | undefined;

  constructor(
    code: StoreErrorCode,
    message: string,
    options: { readonly hint?: string; readonly cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "StoreError";
    this.code = code;
    this.hint = options.hint;
  }
}
