import type { X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { connect, type TLSSocket } from "node:tls";
import { publicKeyFingerprint, type TrustBundle, tryParseSpiffeId } from "../../spiffe/index.ts";
import { AgentError } from "../agent-error.ts";
import { connectionError } from "./authority-error.ts";
import { authorityProblem, isSelfIssued, peerChain } from "./peer-chain.ts";

/**
 * First contact: looks at the chain that the server shows and takes the one root out of it whose public key has the join token's
 * fingerprint. Sends nothing; every exchange afterwards is verified against what is returned here.
 */
export async function pinnedTrust(options: {
  readonly url: string;
  readonly rootFingerprint: string;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}): Promise<TrustBundle> {
  const chain = await shownChain(new URL(options.url), options.signal);
  const root = chain.find(
    (certificate) =>
      publicKeyFingerprint(certificate) === options.rootFingerprint &&
      isSelfIssued(certificate) &&
      certificate.verify(certificate.publicKey),
  );
  if (root === undefined) {
    throw untrusted(options.url, "it shows no root with the expected fingerprint");
  }
  return trustFrom(options, root, chain);
}

function trustFrom(
  options: { readonly url: string; readonly now: () => Date },
  root: X509Certificate,
  chain: readonly X509Certificate[],
): TrustBundle {
  const uri = /(?:^|, )URI:([^,]+)/.exec(chain[0]?.subjectAltName ?? "")?.[1] ?? "";
  const claimed = tryParseSpiffeId(uri);
  if (!claimed.ok) throw untrusted(options.url, claimed.message);
  const trust: TrustBundle = {
    trustDomain: claimed.id.trustDomain,
    x509Authorities: [root],
    jwtAuthorities: new Map(),
  };
  const problem = authorityProblem(chain, trust, options.now());
  if (problem !== undefined) throw untrusted(options.url, problem);
  return trust;
}

function untrusted(url: string, reason: string): AgentError {
  return new AgentError(
    "ERR_AGENT_AUTHORITY_UNTRUSTED",
    `the server at \`${url}\` is not the expected authority: ${reason}`,
    {
      hint: "check the address; make a new join token, or copy the root's fingerprint anew, at the authority that this agent is to join",
    },
  );
}

function shownChain(url: URL, signal: AbortSignal): Promise<X509Certificate[]> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return new Promise((resolve, reject) => {
    // SECURITY: unverified on purpose, and closed before a byte is sent: only the certificates are looked at.
    const socket: TLSSocket = connect({
      host,
      port: Number(url.port === "" ? 443 : url.port),
      ...(isIP(host) === 0 ? { servername: host } : {}),
      rejectUnauthorized: false,
      minVersion: "TLSv1.3",
    });
    const abort = (): void => void socket.destroy(new Error("aborted"));
    signal.addEventListener("abort", abort, { once: true });
    socket.setTimeout(10_000, () => socket.destroy(new Error("timed out")));
    socket.once("close", () => signal.removeEventListener("abort", abort));
    socket.once("error", (error) => reject(connectionError(url.origin, error)));
    socket.once("secureConnect", () => {
      resolve(peerChain(socket.getPeerCertificate(true)));
      socket.destroy();
    });
  });
}
