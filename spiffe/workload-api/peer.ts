import { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import { readCertificate } from "../certificate.ts";
import type { SpiffeIdMatcher } from "../matcher.ts";
import { isSelfIssued, peerChain, type ShownCertificate } from "../peer-chain.ts";
import { readLeaf } from "../profile.ts";
import { SpiffeError } from "../spiffe-error.ts";
import type { SpiffeId } from "../spiffe-id.ts";
import { verifyX509Svid } from "../verify-x509-svid.ts";
import type { BundleSource } from "./bundle-source.ts";
import type { X509Identity } from "./x509-source.ts";

/** Both ends of a TLS connection: who we are, and whom we speak to. */
export interface TlsPeers {
  /** Our own identity and whom to trust. */
  readonly source: X509Identity;
  /** Which peers are meant, of those that prove an identity: `matchId(…)`, `matchMemberOf(…)`. */
  readonly authorize: SpiffeIdMatcher;
  readonly now?: (() => Date) | undefined;
}

/**
 * Why a peer is not one that we speak to; undefined where it is.
 *
 * SECURITY: OpenSSL has verified the chain by then, but to an authority of any trust domain. This holds it to those of the
 * peer's own, to the X.509-SVID profile, and to the authorizer.
 */
export function peerProblem(shown: ShownCertificate, { source, authorize, now }: TlsPeers): SpiffeError | undefined {
  try {
    const chain = peerChain(shown).filter((certificate) => !isSelfIssued(certificate));
    const [leaf] = chain;
    const id = leaf === undefined ? undefined : idOf(leaf);
    if (id === undefined) return refused("the peer's certificate is no X.509-SVID");
    const bundle = source.bundleOf(id.trustDomain);
    if (bundle === undefined) return refused(`\`${id}\` is of a trust domain that is not trusted`);
    const verified = verifyX509Svid(chain, bundle, { at: now?.() ?? new Date() });
    if (!verified.ok) return refused(`\`${id}\` is not proven: ${verified.message}`);
    return authorize(verified.id) ? undefined : refused(`\`${id}\` is not the peer that is meant`);
  } catch (cause) {
    return refused("the peer cannot be judged", cause);
  }
}

/** The certificate authorities of every trusted trust domain, as PEM. */
export function authoritiesOf(source: BundleSource): string[] {
  return [...source.bundles.values()].flatMap((bundle) => bundle.x509Authorities.map(String));
}

/** Who is at the other end of a connection that was authorized; undefined where nobody was. */
export function peerIdOf(socket: TLSSocket): SpiffeId | undefined {
  if (!socket.authorized) return undefined;
  // Not `getPeerX509Certificate`: on a client's socket it gives the certificate away, and nobody can ask again (Node 20).
  const { raw } = socket.getPeerCertificate();
  return raw === undefined ? undefined : idOf(new X509Certificate(raw));
}

/** Who calls a gRPC method: the peer of the call's connection; undefined where nobody was authorized. */
export function callerOf(call: {
  getAuthContext(): { readonly sslPeerCertificate?: { readonly raw: Buffer } | undefined };
}): SpiffeId | undefined {
  const shown = call.getAuthContext().sslPeerCertificate;
  return shown === undefined ? undefined : idOf(new X509Certificate(shown.raw));
}

function idOf(leaf: X509Certificate): SpiffeId | undefined {
  const read = readCertificate(leaf);
  const identity = read.ok ? readLeaf(read.details) : read;
  return identity.ok ? identity.id : undefined;
}

function refused(message: string, cause?: unknown): SpiffeError {
  return new SpiffeError("ERR_SPIFFE_PEER", message, { cause });
}
