import type { HeaderValue } from "../gen/envoy/config/core/v3/base.ts";
import type { AttributeContext_HttpRequest } from "../gen/envoy/service/auth/v3/attribute_context.ts";

/** Headers that the sidecar sets for Cellwall: no rule sees them. */
export const CALLER_HEADER = "x-cellwall-caller";
/** Serial of the peer's certificate, set by the sidecar, removed before the app. */
export const PEER_SERIAL_HEADER = "x-cellwall-peer-serial";

/** A request's headers, those of the sidecar itself apart. Names in lower case, values one byte a character (latin1). */
export interface CheckHeaders {
  readonly rules: ReadonlyMap<string, readonly string[]>;
  /** Values of `x-cellwall-caller`, in order. */
  readonly callers: readonly string[];
  /** Values of `x-cellwall-peer-serial`, in order. */
  readonly serials: readonly string[];
  /** Value of the pseudo header `:protocol` (extended CONNECT). */
  readonly protocol: string | undefined;
}

/** Collects the headers of either form: raw (`header_map`, repeats kept) or joined (`headers`, repeats joined by a comma). */
export function headersOf(http: AttributeContext_HttpRequest): CheckHeaders {
  const all = new Map<string, string[]>();
  if (http.headerMap !== undefined) {
    for (const header of http.headerMap.headers) add(all, header.key, rawValue(header));
  } else {
    for (const [key, value] of http.headers) add(all, key, latin1(value));
  }
  return split(all);
}

function add(all: Map<string, string[]>, key: string, value: string): void {
  const name = key.toLowerCase();
  const values = all.get(name);
  if (values === undefined) all.set(name, [value]);
  else values.push(value);
}

function split(all: Map<string, string[]>): CheckHeaders {
  const callers = all.get(CALLER_HEADER) ?? [];
  const serials = all.get(PEER_SERIAL_HEADER) ?? [];
  const protocol = all.get(":protocol")?.join(",");
  all.delete(CALLER_HEADER);
  all.delete(PEER_SERIAL_HEADER);
  for (const name of all.keys()) if (name.startsWith(":")) all.delete(name);
  return { rules: all, callers, serials, protocol };
}

/** `raw_value` where it is there; an empty value is not on the wire at all. */
function rawValue(header: HeaderValue): string {
  if (header.rawValue.length === 0) return latin1(header.value);
  return Buffer.from(header.rawValue.buffer, header.rawValue.byteOffset, header.rawValue.length).toString("latin1");
}

/** A text's UTF-8 bytes, one a character. */
function latin1(text: string): string {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 0x7f) return Buffer.from(text, "utf8").toString("latin1");
  }
  return text;
}
