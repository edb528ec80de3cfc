import type { KeyObject } from "node:crypto";
import { isIP } from "node:net";
import { connect } from "node:tls";

/** Where a sidecar takes callers of the mesh. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/** Who calls: a chain as PEM, leaf first, and its key. */
export interface Caller {
  readonly cert: string;
  readonly key: KeyObject;
}

/** `no-listener`: nobody was there to shake hands with. */
export type HandshakeOutcome = "accepted" | "refused" | "no-listener";

const TIMEOUT_MS = 5_000;
/** The connection preface of HTTP/2 with empty settings (RFC 9113, section 3.4): no request. */
const PREFACE = Buffer.concat([
  Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]),
]);

/**
 * Tries whether a sidecar takes a caller's certificate, without asking for anything: in TLS 1.3 the server's verdict comes
 * after its own handshake has ended, with its first bytes or with an alert.
 *
 * SECURITY: who answers is not verified, and nothing that matters is said.
 */
export function tryHandshake({ host, port }: Place, { cert, key }: Caller): Promise<HandshakeOutcome> {
  return new Promise((resolve) => {
    let secured = false;
    let reached = false;
    const socket = connect({
      host,
      port,
      cert,
      key: key.export({ type: "pkcs8", format: "pem" }),
      rejectUnauthorized: false,
      ALPNProtocols: ["h2", "http/1.1"],
      ...(isIP(host) === 0 ? { servername: host } : {}),
    });
    let ended = false;
    const end = (outcome: HandshakeOutcome): void => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      socket.destroy();
      resolve(outcome);
    };
    // A server of HTTP/1.1 may have nothing to say before it is asked.
    const timer = setTimeout(() => end(secured ? "accepted" : "no-listener"), TIMEOUT_MS);
    socket.once("connect", () => {
      reached = true;
    });
    socket.once("secureConnect", () => {
      secured = true;
      if (socket.alpnProtocol === "h2") socket.write(PREFACE);
    });
    socket.once("data", () => end("accepted"));
    socket.once("session", () => end("accepted"));
    socket.once("error", () => end(reached ? "refused" : "no-listener"));
    socket.once("close", () => end(reached ? "refused" : "no-listener"));
  });
}
