/** Why a host cannot be read in one way only. */
export type HostRefusal = "empty" | "comma" | "at-sign" | "space" | "bad-character" | "bad-port";

/** A host, lower case, without port and trailing dot; or why there is none. */
export type CanonicalHost =
  | { readonly ok: true; readonly host: string }
  | { readonly ok: false; readonly reason: HostRefusal };

const NAME = /^(?:\[[0-9a-f:.]+\]|[a-z0-9._~!$&'()*+=-]+)$/;

/** Reads a `host` or `:authority` value. Refuses what proxies and applications are known to read differently. */
export function canonicalHost(raw: string): CanonicalHost {
  if (isPlain(raw)) return { ok: true, host: raw };
  if (raw === "") return refuse("empty");
  if (raw.includes(",")) return refuse("comma");
  if (raw.includes("@")) return refuse("at-sign");
  if (/[ \t]/.test(raw)) return refuse("space");
  const [, name = "", port] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(raw.toLowerCase()) ?? [];
  if (port !== undefined && !/^[0-9]{0,5}$/.test(port)) return refuse("bad-port");
  const host = name.endsWith(".") ? name.slice(0, -1) : name;
  if (host === "") return refuse("empty");
  return NAME.test(host) && !host.endsWith(".") ? { ok: true, host } : refuse("bad-character");
}

/** The way of nearly every request: lower-case letters, digits, hyphens and inner dots, no port. */
function isPlain(raw: string): boolean {
  for (let at = 0; at < raw.length; at++) {
    const code = raw.charCodeAt(at);
    if (!((code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39) || code === 0x2d || code === 0x2e))
      return false;
  }
  return raw !== "" && raw.charCodeAt(raw.length - 1) !== 0x2e;
}

function refuse(reason: HostRefusal): CanonicalHost {
  return { ok: false, reason };
}
