import { AuthorityError } from "../authority-error.ts";

/** What the guard looks at of a request. */
export interface GuardedRequest {
  /** The local end of the connection. */
  readonly localAddress: string | undefined;
  readonly host: string | undefined;
  readonly origin: string | undefined;
}

/** Whether an address is of this machine's loopback, IPv4-mapped forms included. */
export function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return false;
  const bare = address.startsWith("::ffff:") ? address.slice("::ffff:".length) : address;
  return bare === "::1" || /^127(?:\.\d{1,3}){3}$/.test(bare);
}

/**
 * Throws `ERR_AUTHORITY_HOST` where a loopback connection names a host that is not of the loopback nor one of `names`, and
 * `ERR_AUTHORITY_ORIGIN` where a browser sends the request from a page of another origin.
 *
 * SECURITY: a page that rebinds its own DNS name to 127.0.0.1 reaches a loopback server with that name in `Host`.
 */
export function guardHost(request: GuardedRequest, names: ReadonlySet<string>): void {
  const host = hostName(request.host);
  if (isLoopback(request.localAddress) && (host === undefined || !(isLoopbackName(host) || names.has(host)))) {
    throw new AuthorityError("ERR_AUTHORITY_HOST", "this server does not answer for the host that the request names", {
      hint: "use the address that `cellwall up` or `cellwall authority` printed",
    });
  }
  if (request.origin !== undefined && request.origin.toLowerCase() !== `https://${request.host?.toLowerCase()}`) {
    throw new AuthorityError("ERR_AUTHORITY_ORIGIN", "requests from pages of another origin are refused");
  }
}

function hostName(header: string | undefined): string | undefined {
  const match = /^(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(?::\d{1,5})?$/.exec(header ?? "");
  return match?.[1]?.toLowerCase().replace(/^\[|\]$/g, "");
}

function isLoopbackName(host: string): boolean {
  return host === "localhost" || isLoopback(host);
}
