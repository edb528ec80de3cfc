import { type AppServer, httpServer, lineServer, type Peers } from "../app/app-server.ts";
import { httpCall, tcpCall } from "../app/calls.ts";

/** The database's rows. */
const ROWS: ReadonlyMap<string, string> = new Map([
  ["42", "two cell walls, one cork"],
  ["7", "a hedge"],
]);

/** An app of the shop: `db` is a line protocol, `GET <key>`; the others answer HTTP, and `orders` asks the database. */
export function shopApp(name: string, peers: Peers): AppServer {
  if (name === "db") return lineServer((line) => `${ROWS.get(line.replace(/^GET /, "")) ?? "no such row"}\n`);
  return httpServer(async ({ method, url }) => {
    const order = name === "orders" ? await orderOf(method ?? "", url ?? "", peers) : {};
    return { body: { app: name, method, path: url, ...order } };
  });
}

/** What web does by itself: it reads an order. */
export function shopTraffic(name: string, peers: Peers): (() => Promise<unknown>) | undefined {
  const orders = peers.get("orders");
  if (name !== "web" || orders === undefined) return undefined;
  return () => httpCall({ socket: orders, method: "GET", path: "/orders/42" });
}

async function orderOf(method: string, url: string, peers: Peers): Promise<{ readonly order?: string }> {
  const [, id] = /^\/orders\/(\d+)$/.exec(url) ?? [];
  const database = peers.get("db");
  if (database === undefined || id === undefined || method !== "GET") return {};
  const answer = await tcpCall({ socket: database, line: `GET ${id}` });
  return { order: answer.error === undefined ? answer.body.trim() : `no answer from the database: ${answer.error}` };
}
