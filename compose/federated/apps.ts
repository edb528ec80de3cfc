import { type AppServer, type HttpAnswer, httpServer, type Peers } from "../app/app-server.ts";
import { httpCall } from "../app/calls.ts";

/** The order that customers keep paying. */
const ORDER = 42;

/** An app of the two meshes: `gateway` books what it charges at `ledger` and tells the store's `orders`; the others answer for themselves. */
export function federatedApp(name: string, peers: Peers): AppServer {
  return httpServer(async ({ method, url }) => {
    if (name === "gateway" && method === "POST" && url === "/charges") return charge(peers);
    return { body: { app: name, method, path: url } };
  });
}

/** What checkout does by itself: it has a customer pay. Rejects where that fails. */
export function federatedTraffic(name: string, peers: Peers): (() => Promise<unknown>) | undefined {
  const socket = peers.get("gateway");
  if (name !== "checkout" || socket === undefined) return undefined;
  return async () => {
    const { status, error } = await httpCall({ socket, method: "POST", path: "/charges" });
    if (status !== 200) throw new Error(`POST /charges: ${status ?? error}`);
  };
}

async function charge(peers: Peers): Promise<HttpAnswer> {
  const booked = await sent(peers, "ledger", "POST", "/entries");
  const told = await sent(peers, "orders", "PUT", `/orders/${ORDER}/payment`);
  const body = { charge: ORDER, ledger: booked, orders: told };
  return booked === 200 && told === 200 ? { body } : { status: 502, body };
}

async function sent(peers: Peers, peer: string, method: string, path: string): Promise<number | string> {
  const socket = peers.get(peer);
  if (socket === undefined) return `no sidecar takes calls to ${peer}`;
  const { status, error } = await httpCall({ socket, method, path });
  return status ?? error ?? "no answer";
}
