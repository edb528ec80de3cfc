import { constants } from "node:crypto";
import { createServer, type Server, TLSSocket, type TlsOptions } from "node:tls";
import { type Server as GrpcServer, ServerCredentials } from "@grpc/grpc-js";
import { SpiffeError } from "../spiffe-error.ts";
import { peerProblem, type TlsPeers } from "./peer.ts";
import { tlsMaterial } from "./tls-client.ts";
import type { X509Identity } from "./x509-source.ts";

/** How a server is protected. */
export interface ServerPeers extends TlsPeers {
  /** Told of each peer that was turned away. */
  readonly onRefused?: (error: SpiffeError) => void;
}

/**
 * Options for `tls.createServer`, `https.createServer` and `http2.createSecureServer`: a certificate is demanded of each
 * client. Throws as `source.svid`.
 *
 * SECURITY: they know no SPIFFE ID. `protectServer` holds each connection to the authorizer.
 */
export function tlsServerOptions(source: X509Identity): TlsOptions {
  return { ...contextOptions(source), requestCert: true, rejectUnauthorized: true };
}

function contextOptions(source: X509Identity): TlsOptions {
  return {
    ...tlsMaterial(source),
    minVersion: "TLSv1.2",
    allowPartialTrustChain: true,
    // SECURITY: no session is resumed, because a resumed one shows no chain to judge anew.
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

/**
 * Makes a server speak only to peers that `authorize` means, and take over each rotation for new connections; those that
 * are open stay. Without an identity every connection is turned away. Gives how to stop following the source.
 *
 *     const server = https.createServer(tlsServerOptions(source), app);
 *     protectServer(server, { source, authorize: matchMemberOf(shop) });
 */
export function protectServer(server: Server, peers: ServerPeers): () => void {
  const { onRefused, source } = peers;
  const emit = server.emit.bind(server);
  // SECURITY: before any listener, whenever it was added: a connection that is refused here, nobody ever sees.
  server.emit = (event: string | symbol, ...args: unknown[]): boolean => {
    const [socket] = args;
    if (event !== "secureConnection" || !(socket instanceof TLSSocket)) return emit(event, ...args);
    const problem = problemOf(socket, peers);
    if (problem === undefined) return emit(event, ...args);
    socket.destroy();
    onRefused?.(problem);
    return true;
  };
  return source.subscribe(() => {
    try {
      server.setSecureContext(contextOptions(source));
    } catch {
      // Without an identity `problemOf` turns everybody away.
    }
  });
}

function problemOf(socket: TLSSocket, peers: TlsPeers): SpiffeError | undefined {
  if (!socket.authorized) return new SpiffeError("ERR_SPIFFE_PEER", "the client showed no certificate that is trusted");
  try {
    void peers.source.svid;
  } catch (error) {
    if (error instanceof SpiffeError) return error;
    throw error;
  }
  return peerProblem(socket.getPeerCertificate(true), peers);
}

/** A gRPC server that listens. */
export interface GrpcListener {
  readonly port: number;
  /** Takes no more connections; `server.tryShutdown` ends those that are open. */
  close(): Promise<void>;
}

/**
 * Has a grpc-js server listen for peers that `authorize` means; `callerOf(call)` names them to its methods. Rejects where
 * the address cannot be used, and as `source.svid`.
 */
export function listenGrpc(
  server: GrpcServer,
  peers: ServerPeers & { readonly host?: string; readonly port: number },
): Promise<GrpcListener> {
  const injector = server.createConnectionInjector(ServerCredentials.createInsecure());
  const options = { ...tlsServerOptions(peers.source), ALPNProtocols: ["h2"] };
  const listener = createServer(options, (socket) => injector.injectConnection(socket));
  const stop = protectServer(listener, peers);
  const close = (): Promise<void> => {
    stop();
    return new Promise((resolve) => {
      listener.close(() => resolve());
      injector.drain(0);
    });
  };
  return new Promise((resolve, reject) => {
    listener.once("error", (error) => {
      stop();
      reject(error);
    });
    listener.listen(peers.port, peers.host, () => {
      const address = listener.address();
      resolve({ port: typeof address === "object" && address !== null ? address.port : peers.port, close });
    });
  });
}
