import { isIP } from "node:net";
import { excerpt } from "../excerpt.ts";
import { SpiffeError } from "../spiffe-error.ts";

/** The environment variable that names the Workload API (Workload Endpoint, section 4). */
export const ENDPOINT_VARIABLE = "SPIFFE_ENDPOINT_SOCKET";

const UNIX = /^unix:(?:\/\/)?(\/[^?#]*)$/i;
const TCP = /^tcp:\/\/(?:\[([^\]/?#@]+)\]|([^:/?#@]+)):(\d{1,5})$/i;

/** Where the Workload API is: what is given, else what the environment says. Throws `SpiffeError` `ERR_SPIFFE_ENDPOINT`. */
export function endpointTarget(
  address: string | undefined,
  environment: Readonly<Record<string, string | undefined>>,
): string {
  const text = address ?? environment[ENDPOINT_VARIABLE];
  if (text === undefined || text === "") {
    throw new SpiffeError("ERR_SPIFFE_ENDPOINT", `no Workload API is named: \`${ENDPOINT_VARIABLE}\` is not set`, {
      hint: `set ${ENDPOINT_VARIABLE}=unix:///path/of/workload.sock, or pass \`address\``,
    });
  }
  return parseEndpoint(text);
}

/**
 * Reads `unix:///absolute/path` or `tcp://<ip>:<port>` into a gRPC target. Nothing else is an address: no host names, no
 * authority before a path, no query, no fragment. Throws `SpiffeError` `ERR_SPIFFE_ENDPOINT`.
 */
export function parseEndpoint(text: string): string {
  const path = UNIX.exec(text)?.[1];
  if (path !== undefined) return `unix:${socketPath(path, text)}`;
  const [, v6, v4, port] = TCP.exec(text) ?? [];
  const number = Number(port);
  if (number < 1 || number > 65_535) throw bad(text, "its port is none");
  if (v6 !== undefined && isIP(v6) === 6) return `ipv6:[${v6}]:${number}`;
  if (v4 !== undefined && isIP(v4) === 4) return `ipv4:${v4}:${number}`;
  throw bad(text, "it is neither unix:///<absolute path> nor tcp://<ip address>:<port>");
}

function socketPath(path: string, text: string): string {
  const decoded = tryDecode(path);
  if (decoded === undefined || decoded.includes("\0")) throw bad(text, "its path is not in percent-encoding");
  if (decoded === "/" || decoded.startsWith("//")) throw bad(text, "it names no file");
  return decoded;
}

function tryDecode(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

function bad(text: string, why: string): SpiffeError {
  return new SpiffeError("ERR_SPIFFE_ENDPOINT", `${excerpt(text)} is no Workload API address: ${why}`);
}
