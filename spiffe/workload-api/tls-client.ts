import { Agent, type AgentOptions } from "node:https";
import type { Duplex } from "node:stream";
import { type ConnectionOptions, connect, createSecureContext, type SecureContext } from "node:tls";
import { type ChannelCredentials, experimental } from "@grpc/grpc-js";
import { certificatesToPem } from "../pem.ts";
import type { X509Svid } from "../x509-svid.ts";
import { authoritiesOf, peerProblem, type TlsPeers } from "./peer.ts";
import type { X509Identity } from "./x509-source.ts";

/** Key and certificates as TLS takes them. */
export interface TlsMaterial {
  readonly cert: string;
  readonly key: string;
  readonly ca: string[];
}

/** What a source has at this moment. Throws as its `svid` does. */
export function tlsMaterial(source: X509Identity): TlsMaterial {
  const { chain, privateKey } = source.svid;
  const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return { cert: certificatesToPem(chain), key, ca: authoritiesOf(source) };
}

const contexts = new WeakMap<X509Svid, { readonly bundles: unknown; readonly context: SecureContext }>();

/** One context for all connections that are made between two changes. */
function contextOf(source: X509Identity): SecureContext {
  const { bundles, svid } = source;
  const known = contexts.get(svid);
  if (known?.bundles === bundles) return known.context;
  const context = createSecureContext({ ...tlsMaterial(source), minVersion: "TLSv1.2", allowPartialTrustChain: true });
  contexts.set(svid, { bundles, context });
  return context;
}

/**
 * Options for one `tls.connect` (or `https.request` without an agent), with the identity of this moment: take them anew
 * for each connection. The server must be who `authorize` means; its host name does not matter. Throws as `source.svid`.
 *
 *     connect({ host, port, ...tlsClientOptions({ source, authorize: matchId(orders) }) });
 */
export function tlsClientOptions(peers: TlsPeers): ConnectionOptions {
  return {
    secureContext: contextOf(peers.source),
    rejectUnauthorized: true,
    // SECURITY: takes the host name check's place, and runs only after OpenSSL has verified the chain.
    checkServerIdentity: (_host, shown) => peerProblem(shown, peers),
  };
}

/**
 * An agent for `https.request` whose new connections each take the identity of their moment; those that are open stay as
 * they are when it rotates.
 *
 *     https.get("https://orders:8443/", { agent: httpsAgent({ source, authorize: matchId(orders) }) });
 */
export function httpsAgent(peers: TlsPeers, options: AgentOptions = {}): Agent {
  return new SpiffeAgent(peers, options);
}

class SpiffeAgent extends Agent {
  readonly #peers: TlsPeers;

  constructor(peers: TlsPeers, options: AgentOptions) {
    // SECURITY: no session is kept, because a resumed one is not held to `checkServerIdentity`.
    super({ keepAlive: true, ...options, maxCachedSessions: 0 });
    this.#peers = peers;
  }

  override createConnection(
    options: ConnectionOptions,
    callback: (error: Error | null, stream?: Duplex) => void,
  ): Duplex | undefined {
    try {
      return connect({ ...options, ...tlsClientOptions(this.#peers), session: undefined });
    } catch (error) {
      callback(error instanceof Error ? error : new Error(String(error)));
      return undefined;
    }
  }
}

/**
 * Credentials for a grpc-js client; each new connection takes the identity of its moment.
 *
 *     new OrdersClient("orders:8443", grpcCredentials({ source, authorize: matchId(orders) }));
 */
export function grpcCredentials(peers: TlsPeers): ChannelCredentials {
  const provider = new SourceProvider(peers.source);
  return experimental.createCertificateProviderChannelCredentials(provider, provider, {
    checkServerIdentity: (_host, shown) => peerProblem(shown, peers),
  });
}

type CaListener = experimental.CaCertificateUpdateListener;
type IdentityListener = experimental.IdentityCertificateUpdateListener;

/** A source as grpc-js takes certificates. */
class SourceProvider implements experimental.CertificateProvider {
  readonly #source: X509Identity;
  readonly #stops = new Map<CaListener | IdentityListener, () => void>();

  constructor(source: X509Identity) {
    this.#source = source;
  }

  addCaCertificateListener(listener: CaListener): void {
    this.#add(listener, () => {
      const material = tryMaterial(this.#source);
      listener(material === undefined ? null : { caCertificate: Buffer.from(material.ca.join("")) });
    });
  }

  addIdentityCertificateListener(listener: IdentityListener): void {
    this.#add(listener, () => {
      const material = tryMaterial(this.#source);
      const { cert, key } = material ?? { cert: "", key: "" };
      listener(material === undefined ? null : { certificate: Buffer.from(cert), privateKey: Buffer.from(key) });
    });
  }

  removeCaCertificateListener(listener: CaListener): void {
    this.#remove(listener);
  }

  removeIdentityCertificateListener(listener: IdentityListener): void {
    this.#remove(listener);
  }

  #add(listener: CaListener | IdentityListener, tell: () => void): void {
    this.#stops.set(listener, this.#source.subscribe(tell));
    process.nextTick(tell);
  }

  #remove(listener: CaListener | IdentityListener): void {
    this.#stops.get(listener)?.();
    this.#stops.delete(listener);
  }
}

function tryMaterial(source: X509Identity): TlsMaterial | undefined {
  try {
    return tlsMaterial(source);
  } catch {
    return undefined;
  }
}
