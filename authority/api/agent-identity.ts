import { X509Certificate } from "node:crypto";
import { type DetailedPeerCertificate, TLSSocket } from "node:tls";
import type { RevocationsDocument } from "../../protocol/index.ts";
import { agentNodeOf, normalizeSerial, type TrustBundle, verifyX509Svid } from "../../spiffe/index.ts";
import { AuthorityError } from "../authority-error.ts";
import type { Caller } from "./route.ts";

/** What an agent's certificate is judged by. */
export interface AgentJudgement {
  readonly bundle: TrustBundle;
  readonly revocations: RevocationsDocument;
  readonly at: Date;
}

/** An agent that proved its identity, and when its certificate ends. */
export interface AgentCaller extends Extract<Caller, { kind: "agent" }> {
  readonly certificateNotAfter: Date;
}

const MAX_CHAIN = 5;

const chains = new WeakMap<TLSSocket, readonly X509Certificate[]>();

/** The certificates that the peer presented, leaf first; empty where it presented none or the connection is not TLS. */
export function presentedChain(socket: unknown): readonly X509Certificate[] {
  if (!(socket instanceof TLSSocket)) return [];
  const chain = chains.get(socket) ?? readChain(socket);
  chains.set(socket, chain);
  return chain;
}

/** `getPeerX509Certificate()` gives the issuers at its first call only, so the older form is read, and once a connection. */
function readChain(socket: TLSSocket): readonly X509Certificate[] {
  const chain: X509Certificate[] = [];
  const seen = new Set<object>();
  let next: Partial<DetailedPeerCertificate> | undefined = socket.getPeerCertificate(true);
  while (next?.raw !== undefined && !seen.has(next) && chain.length < MAX_CHAIN) {
    seen.add(next);
    chain.push(new X509Certificate(next.raw));
    next = next.issuerCertificate;
  }
  return chain;
}

/**
 * The agent that a certificate chain proves. Throws `ERR_AUTHORITY_UNAUTHENTICATED` without a chain to our own root and an agent's
 * identity, `ERR_AUTHORITY_REVOKED` where the serial, the identity or the node is revoked.
 *
 * SECURITY: TLS itself accepts any certificate here; this check is the only one, so it runs on every request, not once a connection.
 */
export function verifyAgent(chain: readonly X509Certificate[], judgement: AgentJudgement): AgentCaller {
  const agent = proven(chain, judgement);
  refuseRevoked(agent, judgement.revocations);
  return { kind: "agent", node: agent.node, serial: agent.serial, certificateNotAfter: agent.notAfter };
}

/** What a chain proves, apart from revocation. */
interface Proof {
  readonly identity: string;
  readonly node: string;
  readonly serial: string;
  readonly notAfter: Date;
}

interface Proven extends Proof {
  readonly bundle: TrustBundle;
  readonly at: Date;
}

const provenChains = new WeakMap<readonly X509Certificate[], Proven>();
/** How long the signatures of a connection's chain are taken as checked: many requests come within it, and each would cost as much as a certificate. */
const PROVEN_MS = 1_000;

/** SECURITY: another trust bundle, or the end of the certificate, is noticed at once. */
function proven(chain: readonly X509Certificate[], { at, bundle }: AgentJudgement): Proof {
  const known = provenChains.get(chain);
  const age = at.getTime() - (known?.at.getTime() ?? Number.NEGATIVE_INFINITY);
  if (known?.bundle === bundle && age >= 0 && age < PROVEN_MS && at <= known.notAfter) return known;
  const proof = prove(chain, { at, bundle });
  provenChains.set(chain, { ...proof, bundle, at });
  return proof;
}

function prove(chain: readonly X509Certificate[], { at, bundle }: Pick<AgentJudgement, "at" | "bundle">): Proof {
  if (chain.length === 0) throw unauthenticated("this needs an agent's certificate");
  const verified = verifyX509Svid(chain, bundle, { at });
  if (!verified.ok) throw unauthenticated(`the certificate is not valid here: ${verified.message}`);
  const node = agentNodeOf(verified.id);
  if (node === undefined) throw unauthenticated("the certificate is not an agent's");
  const { serialNumber, validTo } = verified.leaf;
  const serial = normalizeSerial(serialNumber);
  return { identity: verified.id.toString(), node, serial, notAfter: new Date(validTo) };
}

function refuseRevoked(agent: Proof, revocations: RevocationsDocument): void {
  const revoked =
    revocations.serials.some((entry) => entry.serial === agent.serial) ||
    revocations.identities.some((entry) => entry.identity === agent.identity) ||
    revocations.nodes.some((entry) => entry.node === agent.node);
  if (revoked) {
    throw new AuthorityError("ERR_AUTHORITY_REVOKED", `the agent of node \`${agent.node}\` is revoked`, {
      hint: "find out why; a node that may come back needs a new name, or a lifted revocation and a new join token",
    });
  }
}

function unauthenticated(message: string): AuthorityError {
  return new AuthorityError("ERR_AUTHORITY_UNAUTHENTICATED", message, {
    hint: "enrol again with a join token of `cellwall ca token NODE`",
  });
}
