import { type AppServer, httpServer, lineServer, type Peers } from "../app/app-server.ts";
import { httpCall, tcpCall } from "../app/calls.ts";
import { grpcCall } from "../app/grpc-call.ts";
import { grpcServer } from "../app/grpc-server.ts";
import { frontendPage } from "./frontend.ts";
import { type Outside, SERVICES } from "./services.ts";

/** What a visitor does, page by page; every call of the boutique is made on the way. */
export const VISIT = [
  "GET /",
  "GET /product/OLJCESPC7Z",
  "POST /cart",
  "GET /cart",
  "POST /cart/checkout",
  "POST /cart/empty",
] as const;

/** An app of the boutique: a gRPC service, the frontend, Redis, or the load generator, which serves nothing. */
export function boutiqueApp(name: string, peers: Peers): AppServer {
  const outside = outsideOf(peers);
  const service = SERVICES.get(name);
  if (service !== undefined) return grpcServer(service.name, new Map(Object.entries(service.methods(outside))));
  if (name === "redis-cart") return lineServer(redis(new Map()));
  return httpServer(async ({ method, url }) => {
    const page = name === "frontend" ? await frontendPage(`${method} ${url}`, outside.call) : {};
    return page === undefined ? { status: 404, body: { error: "no such page" } } : { body: page };
  });
}

/** What the load generator does by itself: a visit. Rejects at the first page that fails. */
export function boutiqueTraffic(name: string, peers: Peers): (() => Promise<unknown>) | undefined {
  const socket = peers.get("frontend");
  if (name !== "loadgenerator" || socket === undefined) return undefined;
  return async () => {
    for (const page of VISIT) {
      const [method = "", path = ""] = page.split(" ");
      const { status, error } = await httpCall({ socket, method, path });
      if (status !== 200) throw new Error(`${page}: ${status ?? error}`);
    }
  };
}

function outsideOf(peers: Peers): Outside {
  const socketOf = (peer: string): string => {
    const socket = peers.get(peer);
    if (socket === undefined) throw new Error(`no sidecar takes calls to ${peer}`);
    return socket;
  };
  return {
    call: async (peer, method, message = {}) => {
      const { grpcStatus, body } = await grpcCall({
        socket: socketOf(peer),
        method: `hipstershop.${method}`,
        message,
      });
      if (grpcStatus !== 0) throw new Error(`${method}: ${body}`);
      return Object(JSON.parse(body));
    },
    ask: async (peer, line) => {
      const { body, error } = await tcpCall({ socket: socketOf(peer), line });
      if (error !== undefined) throw new Error(`${peer}: ${error}`);
      return body.trim();
    },
  };
}

/** As much of Redis as a cart needs: inline commands, one line of answer each. */
function redis(rows: Map<string, string>): (line: string) => string {
  return (line) => {
    const [command = "", key = "", value = ""] = line.split(" ");
    if (command === "SET") rows.set(key, value);
    if (command === "DEL") rows.delete(key);
    return command === "GET" ? `${rows.get(key) ?? ""}\n` : "OK\n";
  };
}
