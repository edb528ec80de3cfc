import { connect as connectHttp2 } from "node:http2";
import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectTls, type SecureVersion } from "node:tls";

const TIMEOUT_MS = 5_000;

/** What a peer shows in a TLS handshake, as PEM. */
export interface Shown {
  readonly certificates: string;
  readonly privateKey: string;
}

/** Where to connect to, from where, and as whom: without `shown` no certificate is shown. */
export interface Straight {
  readonly host: string;
  readonly port: number;
  /** Address that the connection comes from: what tells one attack's records from another's. */
  readonly from: string;
  readonly shown?: Shown | undefined;
  readonly maxVersion?: SecureVersion;
}

/** What came of it: `status` where an HTTP answer came, `error` where the connection ended without one. */
export interface Outcome {
  readonly status?: number;
  readonly text: string;
  readonly error?: string;
}

/** Sends bytes over TLS past the own sidecar and reads one HTTP/1 answer; never rejects. */
export function overTls(to: Straight, bytes: string): Promise<Outcome> {
  return converse(tlsSocket(to, ["http/1.1"]), "secureConnect", bytes);
}

/** Sends bytes in the clear. */
export function inTheClear(to: Straight, bytes: string): Promise<Outcome> {
  return converse(connectPlain({ host: to.host, port: to.port, localAddress: to.from }), "connect", bytes);
}

/** One HTTP/2 request over TLS, its pseudo headers as given; never rejects. */
export function overHttp2(to: Straight, headers: Readonly<Record<string, string>>): Promise<Outcome> {
  const session = connectHttp2("https://orders", { createConnection: () => tlsSocket(to, ["h2"]) });
  return new Promise<Outcome>((resolve) => {
    const fail = (error: Error): void => resolve({ text: "", error: error.message });
    session.once("error", fail);
    session.setTimeout(TIMEOUT_MS, () => session.destroy(new Error("no answer")));
    const stream = session.request(headers, { endStream: headers[":method"] !== "CONNECT" });
    let status: number | undefined;
    let text = "";
    stream.once("response", (answered) => {
      status = Number(answered[":status"]);
      if (headers[":method"] === "CONNECT") stream.close();
    });
    stream.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk;
    });
    stream.once("error", fail);
    stream.once("close", () => resolve(status === undefined ? { text, error: "closed" } : { status, text }));
  }).finally(() => session.destroy());
}

/** A connection to a peer's listener that stays open from request to request. */
export interface OpenConnection {
  get(path: string): Promise<{ readonly status: number; readonly text: string }>;
  close(): void;
}

/** Opens an HTTP/2 connection over TLS; what its requests come to shows whether it is judged anew each time. */
export function openHttp2(to: Straight): OpenConnection {
  const session = connectHttp2("https://orders", { createConnection: () => tlsSocket(to, ["h2"]) });
  let problem: Error | undefined;
  session.on("error", (error) => {
    problem = error;
  });
  return {
    get: (path) =>
      new Promise((resolve, reject) => {
        if (problem !== undefined || session.closed) return reject(problem ?? new Error("the connection has ended"));
        const stream = session.request({ ":method": "GET", ":path": path, ":authority": "orders" });
        stream.setTimeout(TIMEOUT_MS, () => stream.destroy(new Error("no answer")));
        let status = 0;
        let text = "";
        stream.once("response", (answered) => {
          status = Number(answered[":status"]);
        });
        stream.setEncoding("utf8").on("data", (chunk: string) => {
          text += chunk;
        });
        stream.once("error", reject);
        stream.once("end", () => resolve({ status, text }));
      }),
    close: () => session.destroy(),
  };
}

function tlsSocket({ host, port, from, shown, maxVersion }: Straight, alpn: string[]): Socket {
  const options = {
    host,
    port,
    // Whoever attacks does not care whom it talks to.
    rejectUnauthorized: false,
    ALPNProtocols: alpn,
    localAddress: from,
    ...(shown === undefined ? {} : { cert: shown.certificates, key: shown.privateKey }),
    ...(maxVersion === undefined ? {} : { maxVersion }),
  };
  return connectTls(options);
}

function converse(socket: Socket, readyEvent: string, bytes: string): Promise<Outcome> {
  return new Promise((resolve) => {
    let text = "";
    let error: string | undefined;
    const finish = (): void => {
      clearTimeout(timer);
      socket.destroy();
      const status = /^HTTP\/1\.[01] (\d{3})/.exec(text)?.[1];
      resolve({
        text,
        ...(status === undefined ? { error: error ?? "closed" } : { status: Number(status) }),
      });
    };
    const timer = setTimeout(() => {
      error = "no answer";
      finish();
    }, TIMEOUT_MS);
    socket.setEncoding("latin1");
    socket.once(readyEvent, () => socket.write(bytes, "latin1"));
    socket.on("data", (chunk: string) => {
      text += chunk;
    });
    socket.once("error", (cause) => {
      error = cause.message;
    });
    socket.once("close", finish);
  });
}

/** Bytes of one HTTP/1.1 request that closes its connection; the target as it is written. */
export function requestBytes(
  target: string,
  {
    method = "GET",
    version = "1.1",
    headers = [],
    host = ["orders"],
  }: {
    readonly method?: string;
    readonly version?: string;
    readonly headers?: readonly string[];
    readonly host?: readonly string[];
  } = {},
): string {
  const lines = [...host.map((name) => `host: ${name}`), ...headers];
  const closes = headers.some((line) => /^connection:/i.test(line)) ? [] : ["connection: close"];
  return `${method} ${target} HTTP/${version}\r\n${[...lines, ...closes].join("\r\n")}\r\n\r\n`;
}
