import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { AuthorityError } from "../authority-error.ts";
import { isLoopback } from "./host-guard.ts";

/** A new admin token: 256 random bits, base64url. */
export function createAdminToken(random: (bytes: number) => Buffer = randomBytes): string {
  return random(32).toString("base64url");
}

const digest = (text: string): Buffer => createHash("sha256").update(text).digest();

/**
 * Throws `ERR_AUTHORITY_UNAUTHENTICATED` unless the request comes over loopback and carries the admin token.
 *
 * SECURITY: compares digests in constant time; the remote address is the socket's own, no header is believed.
 */
export function requireAdmin(
  request: { readonly authorization: string | undefined; readonly remoteAddress: string | undefined },
  adminToken: string,
): void {
  const presented = /^Bearer ([\x21-\x7e]+)$/i.exec(request.authorization ?? "")?.[1];
  const same = presented !== undefined && timingSafeEqual(digest(presented), digest(adminToken));
  if (same && isLoopback(request.remoteAddress)) return;
  throw new AuthorityError("ERR_AUTHORITY_UNAUTHENTICATED", "this needs the local admin token, over loopback", {
    hint: "run the command on the authority's host with its `--state` folder: the token is new at each start",
  });
}
