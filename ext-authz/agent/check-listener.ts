import { constants, type X509Certificate } from "node:crypto";
import type { AddressInfo } from "node:net";
import { createServer, type SecureContextOptions, type Server, type TLSSocket } from "node:tls";
import { ServerCredentials } from "@grpc/grpc-js";
import { certificatesToPem, type X509Svid } from "../../spiffe/index.ts";
import { AgentError, messageOf } from "../agent-error.ts";
import type { CheckHandler } from "../check-handler.ts";
import { addCheck, closeServer, grpcServer, MAX_CHECK_BYTES } from "../check-server.ts";
import type { AskingSidecar } from "../decision-record.ts";
import { isSelfIssued, peerChain } from "./peer-chain.ts";

/** What became of a connection of a sidecar. */
export type ConnectionResult =
  | "accepted"
  | "handshake-failed"
  | "no-certificate"
  | "untrusted"
  | "revoked"
  | "not-ready";

/** Whether a client certificate is one of the mesh, and whose. */
export type ClientVerdict =
  | { readonly ok: true; readonly identity: string; readonly notAfter: Date }
  | { readonly ok: false; readonly result: Exclude<ConnectionResult, "accepted">; readonly message: string };

/** What the listener for sidecars elsewhere is made of. */
export interface CheckListenerOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** The agent's own identity, which it shows; undefined while there is none, and then nobody is served. */
  readonly identity: () => X509Svid | undefined;
  readonly now: () => Date;
  /** Judges the chain that a client showed, leaf first, roots left out. */
  readonly judge: (chain: readonly X509Certificate[]) => ClientVerdict;
  /** Decides for the sidecar of this identity. */
  readonly handlerOf: (identity: string) => CheckHandler;
  /** Called once a connection; `peer` is its address, `why` is foreign text where it was refused. */
  readonly connected: (result: ConnectionResult, peer: string, why: string) => void;
}

/** Serves `Check` over mTLS to sidecars that cannot reach a unix socket. */
export interface CheckListener {
  /** `tcp://host:port` */
  readonly address: string;
  /** Open connections. */
  readonly connections: number;
  /** Takes up the agent's newest certificate, and ends the connections whose client's certificate has run out. */
  refresh(): void;
  /** The same, and judges every client anew: trust or revocations have changed. */
  reconsider(): void;
  /** Lets calls in flight finish for a moment, then closes. */
  close(): Promise<void>;
}

interface Connection {
  readonly chain: readonly X509Certificate[];
  readonly notAfter: Date;
  readonly server: ReturnType<typeof grpcServer>;
}

const HANDSHAKE_TIMEOUT_MS = 5_000;
const MAX_CONNECTIONS = 10_000;

/** Binds the address and starts to serve; throws `AgentError` `ERR_AGENT_LISTEN` where it cannot be had. */
export async function startCheckListener(options: CheckListenerOptions): Promise<CheckListener> {
  const listener = new TlsCheckListener(options);
  await listener.listen();
  return listener;
}

class TlsCheckListener implements CheckListener {
  readonly #options: CheckListenerOptions;
  readonly #server: Server;
  readonly #connections = new Map<TLSSocket, Connection>();
  #shown: X509Svid | undefined;

  constructor(options: CheckListenerOptions) {
    this.#options = options;
    this.#shown = options.identity();
    this.#server = createServer({
      ...contextOf(this.#shown),
      ALPNProtocols: ["h2"],
      handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
      requestCert: true,
      // SECURITY: the handshake proves that the client holds the certificate's key; who it is, is judged after it by the SPIFFE
      // rules, which OpenSSL does not know, and a client that they refuse is never answered.
      rejectUnauthorized: false,
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.on("secureConnection", (socket) => this.#accept(socket));
    this.#server.on("tlsClientError", (error, socket) => {
      options.connected("handshake-failed", peerOf(socket), messageOf(error));
      socket.destroy();
    });
  }

  get address(): string {
    const { address, family, port } = addressOf(this.#server);
    return `tcp://${family === "IPv6" ? `[${address}]` : address}:${port}`;
  }

  get connections(): number {
    return this.#connections.size;
  }

  listen(): Promise<void> {
    const { host, port } = this.#options;
    return new Promise((resolve, reject) => {
      this.#server.once("error", (cause) =>
        reject(
          new AgentError("ERR_AGENT_LISTEN", `\`${host}:${port}\` cannot be had: ${messageOf(cause)}`, {
            hint: "give `--listen` an address of this host and a port that is free",
            cause,
          }),
        ),
      );
      this.#server.listen({ host, port }, () => {
        this.#server.removeAllListeners("error");
        // What fails later fails for one connection, which is then gone.
        this.#server.on("error", () => {});
        resolve();
      });
    });
  }

  refresh(): void {
    const now = this.#options.now();
    this.#renew();
    this.#end(({ notAfter }) => notAfter <= now);
  }

  reconsider(): void {
    this.#renew();
    this.#end(({ chain }) => !this.#judge(chain).ok);
  }

  #renew(): void {
    const identity = this.#options.identity();
    if (identity === this.#shown) return;
    this.#shown = identity;
    this.#server.setSecureContext(contextOf(identity));
  }

  #end(isOver: (connection: Connection) => boolean): void {
    for (const [socket, connection] of this.#connections) {
      if (this.#shown === undefined || isOver(connection)) socket.destroy();
    }
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    await Promise.all([...this.#connections.values()].map(({ server }) => closeServer(server)));
    for (const socket of this.#connections.keys()) socket.destroy();
    await closed;
  }

  #accept(socket: TLSSocket): void {
    socket.on("error", () => socket.destroy());
    const chain = shownChain(socket);
    const verdict = this.#judge(chain);
    const address = peerOf(socket);
    if (!verdict.ok) {
      this.#options.connected(verdict.result, address, verdict.message);
      socket.destroy();
      return;
    }
    this.#options.connected("accepted", address, "");
    this.#serve(socket, { chain, notAfter: verdict.notAfter }, { identity: verdict.identity, address });
  }

  #judge(chain: readonly X509Certificate[]): ClientVerdict {
    if (this.#shown === undefined) return { ok: false, result: "not-ready", message: "the agent has no certificate" };
    if (chain.length === 0) return { ok: false, result: "no-certificate", message: "the client showed no certificate" };
    try {
      return this.#options.judge(chain);
    } catch (error) {
      return { ok: false, result: "untrusted", message: messageOf(error) };
    }
  }

  /** One server a connection, so that whoever asks on it is known from the handshake and from nothing that is sent. */
  #serve(socket: TLSSocket, client: Pick<Connection, "chain" | "notAfter">, sidecar: AskingSidecar): void {
    const server = grpcServer({ maxReceiveBytes: MAX_CHECK_BYTES });
    addCheck(server, (request) => this.#options.handlerOf(sidecar.identity)(request, sidecar));
    this.#connections.set(socket, { ...client, server });
    socket.once("close", () => {
      this.#connections.delete(socket);
      server.forceShutdown();
    });
    server.createConnectionInjector(ServerCredentials.createInsecure()).injectConnection(socket);
  }
}

function contextOf(identity: X509Svid | undefined): SecureContextOptions {
  const shown =
    identity === undefined
      ? {}
      : {
          cert: certificatesToPem(identity.chain),
          key: identity.privateKey.export({ format: "pem", type: "pkcs8" }),
        };
  // No session is resumed: each connection shows its certificate anew.
  return { ...shown, minVersion: "TLSv1.3", maxVersion: "TLSv1.3", secureOptions: constants.SSL_OP_NO_TICKET };
}

function shownChain(socket: TLSSocket): readonly X509Certificate[] {
  try {
    return peerChain(socket.getPeerCertificate(true)).filter((certificate) => !isSelfIssued(certificate));
  } catch {
    return [];
  }
}

function peerOf(socket: TLSSocket): string {
  const address = socket.remoteAddress ?? "unknown";
  const host = address.startsWith("::ffff:") ? address.slice("::ffff:".length) : address;
  return host.includes(":") ? `[${host}]:${socket.remotePort}` : `${host}:${socket.remotePort}`;
}

function addressOf(server: Server): AddressInfo {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the listener has no address");
  return address;
}
