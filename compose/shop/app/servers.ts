import { createServer as createHttpServer, type IncomingMessage } from "node:http";
import { createServer, type Server } from "node:net";
import { tcpCall } from "./calls.ts";
import type { Received } from "./messages.ts";

/** The database's rows. */
const ROWS: ReadonlyMap<string, string> = new Map([
  ["42", "two cell walls, one cork"],
  ["7", "a hedge"],
]);

/** An app's server, and what it has received so far. */
export interface AppServer {
  readonly server: Server;
  readonly received: readonly Received[];
}

/** The HTTP app of the shop: answers every request, records each, and asks the database for `/orders/{id}` where it has one. */
export function httpApp(name: string, database: string | undefined): AppServer {
  const received: Received[] = [];
  const server = createHttpServer((incoming, response) => {
    received.push(recordOf(incoming));
    void bodyOf(incoming, database).then((text) => {
      response.setHeader("content-type", "application/json");
      response.end(`${JSON.stringify({ app: name, method: incoming.method, path: incoming.url, ...text })}\n`);
    });
  });
  return { server, received };
}

async function bodyOf(incoming: IncomingMessage, database: string | undefined): Promise<{ readonly order?: string }> {
  const [, id] = /^\/orders\/(\d+)$/.exec(incoming.url ?? "") ?? [];
  if (database === undefined || id === undefined || incoming.method !== "GET") return {};
  const answer = await tcpCall({ socket: database, line: `GET ${id}` });
  return { order: answer.error === undefined ? answer.body.trim() : `no answer from the database: ${answer.error}` };
}

function recordOf(incoming: IncomingMessage): Received {
  const headers = Object.entries(incoming.headers).map(([name, value]) => [name, String(value)] as const);
  return { method: incoming.method ?? "", path: incoming.url ?? "", headers: Object.fromEntries(headers) };
}

/** The database: a line protocol, `GET <key>` answered by one line. Records each connection with the bytes it read. */
export function databaseApp(): AppServer {
  const received: { bytes: number }[] = [];
  const server = createServer((socket) => {
    const record = { bytes: 0 };
    received.push(record);
    socket.setEncoding("utf8");
    socket.on("error", () => socket.destroy());
    let rest = "";
    socket.on("data", (chunk: string) => {
      record.bytes += chunk.length;
      const lines = `${rest}${chunk}`.split("\n");
      rest = (lines.pop() ?? "").slice(-1024);
      for (const line of lines) socket.write(`${ROWS.get(line.replace(/^GET /, "")) ?? "no such row"}\n`);
    });
  });
  return { server, received };
}
