import { createServer as createHttp1, type IncomingHttpHeaders } from "node:http";
import { createServer as createHttp2 } from "node:http2";
import { createServer as createTcp, type Server, type Socket } from "node:net";
import { Server as GrpcServer, ServerCredentials } from "@grpc/grpc-js";
import { WebSocketServer } from "ws";

/** One request as an application received it. */
export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** An application behind a sidecar: everything it received, for tests to judge by. */
export interface TestApp {
  readonly requests: ReceivedRequest[];
  /** Connections accepted, open or not. */
  readonly connections: { bytes: number }[];
  readonly messages: string[];
  close(): Promise<void>;
}

function emptyApp(): Omit<TestApp, "close"> {
  return { requests: [], connections: [], messages: [] };
}

function listening(server: Server, socketPath: string, sockets: Set<Socket>): Promise<() => Promise<void>> {
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.once("close", () => sockets.delete(socket));
  });
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      for (const socket of sockets) socket.destroy();
      server.close(() => resolve());
    });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(socketPath, () => resolve(close));
  });
}

/** An HTTP/1.1 app that answers 200 `<method> <path>` and echoes WebSocket messages on any path. */
export async function http1App(socketPath: string): Promise<TestApp> {
  const app = emptyApp();
  const sockets = new WebSocketServer({ noServer: true });
  const server = createHttp1((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      app.requests.push({
        method: request.method ?? "",
        path: request.url ?? "",
        headers: request.headers,
        body: Buffer.concat(chunks).toString("utf8"),
      });
      response.end(`${request.method} ${request.url}`);
    });
  });
  server.on("upgrade", (request, socket, head) => {
    app.requests.push({ method: request.method ?? "", path: request.url ?? "", headers: request.headers, body: "" });
    sockets.handleUpgrade(request, socket, head, (peer) => {
      peer.on("message", (data) => {
        app.messages.push(String(data));
        peer.send(`echo ${data}`);
      });
      peer.on("error", () => peer.terminate());
    });
  });
  server.on("connection", () => app.connections.push({ bytes: 0 }));
  return { ...app, close: await listening(server, socketPath, new Set()) };
}

/** An HTTP/2 app without TLS (prior knowledge) that answers 200 `<method> <path>`. */
export async function http2App(socketPath: string): Promise<TestApp> {
  const app = emptyApp();
  const server = createHttp2((request, response) => {
    app.requests.push({ method: request.method, path: request.url, headers: request.headers, body: "" });
    response.end(`${request.method} ${request.url}`);
  });
  return { ...app, close: await listening(server, socketPath, new Set()) };
}

/** A gRPC app whose every listed method (`/pkg.Service/Method`) answers the request's bytes. */
export async function grpcApp(socketPath: string, methods: readonly string[]): Promise<TestApp> {
  const app = emptyApp();
  const server = new GrpcServer();
  for (const path of methods) {
    const [, service = "", method = ""] = path.split("/");
    const bytes = (value: Buffer): Buffer => value;
    const definition = {
      [method]: {
        path,
        requestStream: false as const,
        responseStream: false as const,
        requestSerialize: bytes,
        requestDeserialize: bytes,
        responseSerialize: bytes,
        responseDeserialize: bytes,
        originalName: `${service}.${method}`,
      },
    };
    server.addService(definition, {
      [method]: (call: { request: Buffer }, done: (error: null, value: Buffer) => void) => {
        app.requests.push({ method: "POST", path, headers: {}, body: call.request.toString("utf8") });
        done(null, call.request);
      },
    });
  }
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${socketPath}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  return {
    ...app,
    close: async () => server.forceShutdown(),
  };
}

/** A TCP app: echoes what it reads; with a banner it speaks first. */
export async function tcpApp(socketPath: string, banner?: string): Promise<TestApp> {
  const app = emptyApp();
  const server = createTcp((socket) => {
    const record = { bytes: 0 };
    app.connections.push(record);
    if (banner !== undefined) socket.write(banner);
    socket.on("data", (chunk) => {
      record.bytes += chunk.length;
      socket.write(chunk);
    });
  });
  return { ...app, close: await listening(server, socketPath, new Set()) };
}
