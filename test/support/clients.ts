import { type Agent, request } from "node:http";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { Client, credentials, type ServiceError } from "@grpc/grpc-js";
import { WebSocket } from "ws";

const TIMEOUT_MS = 10_000;

/** An HTTP answer as a calling app sees it. */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** What a calling app asks of its sidecar's outbound socket. */
export interface Ask {
  readonly socket: string;
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string;
  /** Keeps its connection open between requests; without one each has a connection of its own. */
  readonly agent?: Agent;
}

/** One HTTP/1.1 request over a unix socket. */
export function http1(ask: Ask): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({
      socketPath: ask.socket,
      method: ask.method ?? "GET",
      path: ask.path,
      headers: { host: "app", ...ask.headers },
      timeout: TIMEOUT_MS,
      agent: ask.agent ?? false,
    });
    sent.once("timeout", () => sent.destroy(new Error("timeout")));
    sent.once("error", reject);
    sent.once("upgrade", (response, socket) => {
      socket.destroy();
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body: "" });
    });
    sent.once("response", (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text: string) => {
        body += text;
      });
      response.once("error", reject);
      response.once("end", () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    sent.end(ask.body);
  });
}

/** One HTTP/2 request (prior knowledge) over a unix socket. */
export async function http2(ask: Ask): Promise<Answer> {
  const session = connectHttp2("http://app", { createConnection: () => connect(ask.socket) });
  try {
    return await new Promise((resolve, reject) => {
      session.once("error", reject);
      const stream = session.request({ ":method": ask.method ?? "GET", ":path": ask.path, ...ask.headers });
      stream.setTimeout(TIMEOUT_MS, () => reject(new Error("timeout")));
      let headers: Readonly<Record<string, unknown>> = {};
      let body = "";
      stream.once("error", reject);
      stream.once("response", (got) => {
        headers = got;
      });
      stream.setEncoding("utf8").on("data", (text: string) => {
        body += text;
      });
      stream.once("end", () => resolve({ status: Number(headers[":status"]), headers, body }));
      stream.end(ask.body);
    });
  } finally {
    session.destroy();
  }
}

/** One unary gRPC call with raw bytes; the code is 0 where it succeeded. */
export function grpc(
  socket: string,
  path: string,
  text: string,
): Promise<{ readonly code: number; readonly details: string; readonly body: string }> {
  const client = new Client(`unix:${socket}`, credentials.createInsecure());
  const bytes = (value: Buffer): Buffer => value;
  return new Promise((resolve) => {
    const deadline = Date.now() + TIMEOUT_MS;
    client.makeUnaryRequest(
      path,
      bytes,
      bytes,
      Buffer.from(text),
      { deadline },
      (error: ServiceError | null, value?: Buffer) => {
        client.close();
        resolve({ code: error?.code ?? 0, details: error?.details ?? "", body: value?.toString("utf8") ?? "" });
      },
    );
  });
}

/** Opens a WebSocket over a unix socket and sends one message: the answer, or the status of a refusal. */
export function webSocket(
  socket: string,
  path: string,
  message: string,
): Promise<{ readonly status: number; readonly answer?: string }> {
  return new Promise((resolve, reject) => {
    const peer = new WebSocket(`ws+unix://${socket}:${path}`, { handshakeTimeout: TIMEOUT_MS });
    peer.once("unexpected-response", (_request, response) => {
      resolve({ status: response.statusCode ?? 0 });
      response.destroy();
    });
    peer.once("error", reject);
    peer.once("open", () => peer.send(message));
    peer.once("message", (data) => {
      resolve({ status: 101, answer: String(data) });
      peer.terminate();
    });
  });
}

/** A TCP conversation over a unix socket: what came back until `enough` bytes, the end, or `waitMs`. */
export function tcp(
  socket: string,
  { send, enough = 1, waitMs = 3_000 }: { readonly send?: string; readonly enough?: number; readonly waitMs?: number },
): Promise<{ readonly text: string; readonly closed: boolean }> {
  return new Promise((resolve) => {
    const peer = connect(socket);
    let text = "";
    const finish = (closed: boolean): void => {
      clearTimeout(timer);
      peer.destroy();
      resolve({ text, closed });
    };
    const timer = setTimeout(() => finish(false), waitMs);
    peer.setEncoding("latin1");
    peer.once("connect", () => {
      if (send !== undefined) peer.write(send);
    });
    peer.on("data", (chunk: string) => {
      text += chunk;
      if (text.length >= enough) finish(false);
    });
    peer.on("error", () => {});
    peer.once("close", () => finish(true));
  });
}
