import { isIP, isIPv4 } from "node:net";
import type { Span } from "../../policies/index.ts";
import { configError } from "./config-error.ts";
import type { JsonObject } from "./json.ts";

/** A place to connect to or to listen on. */
export type Endpoint =
  | { readonly kind: "unix"; readonly path: string }
  | { readonly kind: "ip"; readonly address: string; readonly port: number }
  | { readonly kind: "name"; readonly name: string; readonly port: number };

/** What the kernel takes for a unix socket's path, in bytes, its final NUL not counted. */
const MAX_PATH_BYTES = 107;

/** Owner only: whoever may connect to the socket acts as the workload. Decimal, as Envoy's JSON wants it. */
const SOCKET_MODE = 0o600;

/** Reads `unix:/path`, `host:port` or `[v6]:port`. Throws `ERR_ENVOY_CONFIG`. */
export function parseEndpoint(text: string, span: Span): Endpoint {
  if (text.startsWith("unix:")) return unixEndpoint(text, span);
  const [, bracketed, plain, portText] = /^(?:\[([^\]]+)\]|([^:[\]]+)):([1-9][0-9]{0,4})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(portText);
  if (host === undefined || !(port <= 65_535)) {
    throw configError(span, `\`${text}\` is no address`, "write unix:/path, host:port or [address]:port");
  }
  return hostEndpoint(host, port);
}

/** An IP address or a name, with a port. `localhost` is 127.0.0.1: it needs no resolver and cannot be taken elsewhere. */
export function hostEndpoint(host: string, port: number): Endpoint {
  if (isIP(host) !== 0) return { kind: "ip", address: host, port };
  return host === "localhost" ? { kind: "ip", address: "127.0.0.1", port } : { kind: "name", name: host, port };
}

function unixEndpoint(text: string, span: Span): Endpoint {
  const path = text.slice("unix:".length);
  if (!path.startsWith("/")) {
    throw configError(span, `\`${text}\` is no absolute path`, "write unix:/path/to/the.sock");
  }
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
    throw configError(
      span,
      `the path of \`${text}\` is longer than a socket's may be`,
      `use at most ${MAX_PATH_BYTES} bytes`,
    );
  }
  return { kind: "unix", path };
}

/** Whether only processes of this host, or of this network namespace, can reach the endpoint. */
export function isLocal(endpoint: Endpoint): boolean {
  switch (endpoint.kind) {
    case "unix":
      return true;
    case "ip":
      return isIPv4(endpoint.address) ? endpoint.address.startsWith("127.") : endpoint.address === "::1";
    case "name":
      return false;
  }
}

/** The endpoint as an upstream's address. */
export function upstreamAddress(endpoint: Endpoint): JsonObject {
  switch (endpoint.kind) {
    case "unix":
      return { pipe: { path: endpoint.path } };
    case "ip":
      return socketAddress(endpoint.address, endpoint.port);
    case "name":
      return socketAddress(endpoint.name, endpoint.port);
  }
}

/** The endpoint as a listener's address; a unix socket is for its owner only. */
export function listenerAddress(endpoint: Exclude<Endpoint, { kind: "name" }>): JsonObject {
  return endpoint.kind === "unix"
    ? { pipe: { path: endpoint.path, mode: SOCKET_MODE } }
    : socketAddress(endpoint.address, endpoint.port);
}

function socketAddress(address: string, port: number): JsonObject {
  return { socket_address: { address, port_value: port } };
}
