import { chmodSync, rmSync } from "node:fs";
import { createServer as createHttpServer, type IncomingMessage } from "node:http";
import { createServer, type Server } from "node:net";
import type { Received } from "./messages.ts";

/** An app of a demo mesh, and what it has received so far. */
export interface AppServer {
  /** Listens on a unix socket that its own user alone can open; may be called for several. */
  readonly listen: (socket: string) => Promise<void>;
  readonly received: readonly Received[];
}

/** The peers of an app, by workload name: the unix sockets where its sidecar takes calls to them. */
export type Peers = ReadonlyMap<string, string>;

/** What an HTTP app answers. */
export interface HttpAnswer {
  readonly status?: number;
  readonly body: unknown;
}

/** An HTTP app: each request is recorded and answered with JSON. */
export function httpServer(answer: (incoming: IncomingMessage) => Promise<HttpAnswer>): AppServer {
  const received: Received[] = [];
  const server = (): Server =>
    createHttpServer((incoming, response) => {
      received.push(recordOf(incoming));
      incoming.resume();
      void answer(incoming)
        .catch((error: unknown): HttpAnswer => ({ status: 502, body: { error: String(error) } }))
        .then(({ status = 200, body }) => {
          response.writeHead(status, { "content-type": "application/json" });
          response.end(`${JSON.stringify(body)}\n`);
        });
    });
  return { received, listen: (socket) => listenOn(server(), socket) };
}

/** An app with a line protocol over TCP: each connection is recorded with the bytes it read, each line gets one answer. */
export function lineServer(answer: (line: string) => string): AppServer {
  const received: { bytes: number }[] = [];
  const server = (): Server =>
    createServer((socket) => {
      const record = { bytes: 0 };
      received.push(record);
      socket.setEncoding("utf8");
      socket.on("error", () => socket.destroy());
      let rest = "";
      socket.on("data", (chunk: string) => {
        record.bytes += chunk.length;
        const lines = `${rest}${chunk}`.split("\n");
        rest = (lines.pop() ?? "").slice(-1024);
        for (const line of lines) socket.write(answer(line.trimEnd()));
      });
    });
  return { received, listen: (socket) => listenOn(server(), socket) };
}

/** Listens on a unix socket; one that an earlier run left there is replaced. */
export async function listenOn(server: Server, socket: string): Promise<void> {
  rmSync(socket, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(socket, resolve);
  });
  chmodSync(socket, 0o600);
}

function recordOf(incoming: IncomingMessage): Received {
  const headers = Object.entries(incoming.headers).map(([name, value]) => [name, String(value)] as const);
  return { method: incoming.method ?? "", path: incoming.url ?? "", headers: Object.fromEntries(headers) };
}
