import { Agent, request } from "node:http";
import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { CallResult, HttpCall, RawTlsCall, TcpCall } from "./messages.ts";

const TIMEOUT_MS = 5_000;

/** Sends one HTTP/1.1 request over a unix socket; never rejects. */
export function httpCall(call: HttpCall, agent?: Agent): Promise<CallResult> {
  return new Promise((resolve) => {
    const sent = request({
      socketPath: call.socket,
      method: call.method,
      path: call.path,
      headers: { host: "shop", ...call.headers },
      timeout: TIMEOUT_MS,
      ...(agent === undefined ? {} : { agent }),
    });
    sent.once("timeout", () => sent.destroy(new Error("ETIMEDOUT")));
    sent.once("error", (error) => resolve(failure(error)));
    sent.once("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.once("error", (error) => resolve(failure(error)));
      response.once("end", () => {
        const body = Buffer.concat(chunks);
        const headers = Object.fromEntries(
          Object.entries(response.headers).map(([name, value]) => [name, String(value)]),
        );
        resolve({ status: response.statusCode ?? 0, body: body.toString("utf8"), headers, bytesReceived: body.length });
      });
    });
    sent.end(call.body);
  });
}

/** A connection that is kept open between calls, so that a later call runs over one that was opened before. */
export function openConnection(): Agent {
  return new Agent({ keepAlive: true, maxSockets: 1 });
}

/** Sends one line over a unix socket and reads until the peer has answered one or closed; never rejects. */
export function tcpCall(call: TcpCall): Promise<CallResult> {
  const socket = connectPlain({ path: call.socket });
  return converse(socket, `${call.line}\n`, "connect", (text) => text.endsWith("\n"));
}

/** Sends bytes over TLS, or in the clear, to a peer's listener and reads one HTTP answer; never rejects. */
export function rawTlsCall(call: RawTlsCall): Promise<CallResult> {
  const complete = (text: string): boolean => text.includes("\r\n\r\n");
  if (call.identity === undefined) {
    return converse(connectPlain(call.port, call.host), call.bytes, "connect", complete);
  }
  const socket = connectTls({
    host: call.host,
    port: call.port,
    cert: call.identity.certificates,
    key: call.identity.privateKey,
    ALPNProtocols: ["http/1.1"],
    // The attacker does not care whom it talks to.
    rejectUnauthorized: false,
  });
  return converse(socket, call.bytes, "secureConnect", complete);
}

function converse(
  socket: Socket,
  bytes: string,
  readyEvent: string,
  complete: (text: string) => boolean,
): Promise<CallResult> {
  return new Promise((resolve) => {
    let text = "";
    let error: string | undefined;
    const finish = (): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve({
        ...httpStatus(text),
        body: text,
        headers: {},
        bytesReceived: text.length,
        ...(error === undefined ? {} : { error }),
      });
    };
    const timer = setTimeout(() => {
      error = "ETIMEDOUT";
      finish();
    }, TIMEOUT_MS);
    socket.setEncoding("latin1");
    socket.once(readyEvent, () => socket.write(bytes));
    socket.on("data", (chunk: string) => {
      text += chunk;
      if (complete(text)) finish();
    });
    socket.once("error", (cause) => {
      error = reasonOf(cause);
    });
    socket.once("close", () => {
      if (text === "" && error === undefined) error = "closed by the peer";
      finish();
    });
  });
}

function httpStatus(text: string): Pick<CallResult, "status" | "grpcStatus"> {
  const [, status] = /^HTTP\/1\.[01] (\d{3})/.exec(text) ?? [];
  const [, grpcStatus] = /\r\ngrpc-status: (\d+)\r\n/i.exec(text) ?? [];
  return {
    ...(status === undefined ? {} : { status: Number(status) }),
    ...(grpcStatus === undefined ? {} : { grpcStatus: Number(grpcStatus) }),
  };
}

function failure(error: Error): CallResult {
  return { body: "", headers: {}, bytesReceived: 0, error: reasonOf(error) };
}

function reasonOf(error: Error): string {
  const [, alert] = /alert ([a-z ]+?)(?::|$)/.exec(error.message.toLowerCase()) ?? [];
  if (alert !== undefined) return `TLS alert ${alert.trim()}`;
  return "code" in error && typeof error.code === "string" ? error.code : error.message;
}
