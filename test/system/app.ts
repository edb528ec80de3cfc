import { createServer as createHttpServer, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { createServer as createHttp2Server, type Http2ServerRequest } from "node:http2";
import { createServer, type Server, type Socket } from "node:net";
import { WebSocketServer } from "ws";

/** A request as the app received it. */
export interface Received {
  readonly method: string;
  readonly url: string;
  readonly version: string;
  readonly headers: IncomingHttpHeaders;
}

/** An app behind a sidecar; it notes everything that reaches it. */
export interface TestApp {
  readonly received: Received[];
  /** Connections ever accepted. */
  connections(): number;
  stop(): Promise<void>;
}

/** An HTTP app that speaks HTTP/1.1 and, to a client with prior knowledge, HTTP/2; WebSockets are echoed. */
export async function startHttpApp(path: string): Promise<TestApp> {
  const received: Received[] = [];
  const note = (request: IncomingMessage | Http2ServerRequest): void => {
    received.push({
      method: request.method ?? "",
      url: request.url ?? "",
      version: request.httpVersion,
      headers: request.headers,
    });
  };
  const http1 = createHttpServer((request, response) => {
    note(request);
    response.end(`http1 ${request.method} ${request.url}`);
  });
  const http2 = createHttp2Server((request, response) => {
    note(request);
    response.setHeader("content-type", "application/grpc");
    response.addTrailers({ "grpc-status": "0" });
    response.end("http2");
  });
  const sockets = new WebSocketServer({ noServer: true });
  http1.on("upgrade", (request, socket, head) => {
    note(request);
    sockets.handleUpgrade(request, socket, head, (client) => client.on("message", (data) => client.send(data)));
  });
  return listen(path, received, (socket) => {
    socket.once("data", (chunk: Buffer) => {
      socket.pause();
      socket.unshift(chunk);
      if (chunk.subarray(0, 3).toString() === "PRI") {
        http2.emit("connection", socket);
      } else {
        http1.emit("connection", socket);
        socket.resume();
      }
    });
  });
}

/** A TCP app: `speaksFirst` sends its greeting at once; all bytes are echoed. */
export function startTcpApp(path: string, greeting?: string): Promise<TestApp> {
  return listen(path, [], (socket) => {
    if (greeting !== undefined) socket.write(greeting);
    socket.on("data", (data) => socket.write(data));
  });
}

async function listen(path: string, received: Received[], serve: (socket: Socket) => void): Promise<TestApp> {
  const open = new Set<Socket>();
  let accepted = 0;
  const server: Server = createServer((socket) => {
    accepted += 1;
    open.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => open.delete(socket));
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    received,
    connections: () => accepted,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of open) socket.destroy();
      }),
  };
}
