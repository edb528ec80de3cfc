import { StoreError } from "./store-error.ts";

/** What SQLite has a type for. */
export type SqlValue = string | number | bigint | null | Buffer;

/** A row as the drivers give it, once its blobs are Buffers. */
export type SqlRow = Record<string, unknown>;

/**
 * A query parameter as both drivers accept it; throws `ERR_STORE_PARAMETER` for anything else.
 *
 * SECURITY: libsql ends the whole process, past every handler, when it is given a boolean, a Date or `undefined`.
 */
export function toSqlValue(value: unknown): SqlValue {
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "bigint") {
    return value;
  }
  if (Buffer.isBuffer(value)) return value;
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  throw new StoreError("ERR_STORE_PARAMETER", `not a value for a query parameter: a ${typeof value}`, {
    hint: "give text, a number, null or bytes; write a time as ISO text and a boolean as 0 or 1",
  });
}

/** A row whose blobs are Buffers, whatever the driver made of them (ArrayBuffer, Uint8Array). */
export function fromSqlRow(row: unknown): SqlRow {
  const out: SqlRow = {};
  for (const [name, value] of Object.entries(row ?? {})) out[name] = fromSqlValue(value);
  return out;
}

function fromSqlValue(value: unknown): unknown {
  if (value instanceof ArrayBuffer) return Buffer.from(value);
  if (value instanceof Uint8Array && !Buffer.isBuffer(value)) {
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  }
  return value;
}
