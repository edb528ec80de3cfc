import { type IncomingHttpHeaders, request } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { connect as connectTls, type TLSSocket } from "node:tls";
import type { TestCertificate } from "../../spiffe/testing/index.ts";

/** No conversation of these tests takes longer. */
const DEADLINE_MS = 15_000;

/** An HTTP answer. */
export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What to ask, and where. */
export interface Ask {
  readonly socketPath?: string;
  readonly port?: number;
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
}

/** One HTTP/1.1 request in plaintext, on a connection of its own. */
export function ask({ path, method = "GET", headers = {}, ...where }: Ask): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(DEADLINE_MS);
    const sent = request({ ...where, host: "127.0.0.1", path, method, headers, agent: false, signal }, (answer) => {
      let body = "";
      answer.setEncoding("utf8").on("data", (text: string) => {
        body += text;
      });
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body }));
    });
    sent.on("error", reject);
    sent.end();
  });
}

/** One gRPC-shaped HTTP/2 request with prior knowledge, through a unix socket. */
export function askGrpc(socketPath: string, path: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const session = connectHttp2("http://orders", { createConnection: () => connect(socketPath) });
    session.on("error", reject);
    session.setTimeout(DEADLINE_MS, () => session.destroy(new Error("no answer")));
    const stream = session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
    });
    let headers: IncomingHttpHeaders = {};
    let body = "";
    stream.on("response", (answered) => {
      headers = Object.fromEntries(Object.entries(answered).map(([name, value]) => [name, value?.toString()]));
    });
    stream.on("trailers", (trailers) => {
      headers = { ...headers, "grpc-status": trailers["grpc-status"]?.toString() };
    });
    stream.setEncoding("utf8").on("data", (text: string) => {
      body += text;
    });
    stream.on("error", reject);
    stream.on("close", () => {
      session.close();
      resolve({ status: Number(headers[":status"]), headers, body });
    });
    stream.end();
  });
}

/** What came over a connection until it ended, or until `enough` bytes were there. */
export interface Conversation {
  readonly text: string;
  readonly failure?: string;
}

/** Sends a text over a connection and reads until the other side closes or `until` has been received. */
export function converse(socket: Socket, send: string, until?: string): Promise<Conversation> {
  return new Promise((resolve) => {
    let text = "";
    let failure: string | undefined;
    const done = (): void => {
      socket.destroy();
      resolve(failure === undefined ? { text } : { text, failure });
    };
    socket.on("data", (data: Buffer) => {
      text += data.toString("latin1");
      if (until !== undefined && text.includes(until)) done();
    });
    socket.on("error", (error) => {
      failure = error.message;
    });
    socket.on("close", done);
    socket.setTimeout(DEADLINE_MS, () => socket.destroy(new Error("neither bytes nor an end")));
    if (send !== "") socket.write(send);
  });
}

/** A TLS 1.3 connection straight to a sidecar's listener, with this certificate or none. */
export function tlsTo(port: number, identity?: TestCertificate, alpn: readonly string[] = ["http/1.1"]): TLSSocket {
  const own = identity === undefined ? {} : { cert: identity.chainPem, key: identity.keyPem };
  return connectTls({
    host: "127.0.0.1",
    port,
    ...own,
    // The test is the client here and looks at what the sidecar lets through, not at whom the sidecar is.
    rejectUnauthorized: false,
    ALPNProtocols: alpn.length === 0 ? undefined : [...alpn],
  });
}
