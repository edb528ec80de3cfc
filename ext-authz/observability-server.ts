import { createServer, type Server, type ServerResponse } from "node:http";
import type { Registry } from "prom-client";
import { AgentError, messageOf } from "./agent-error.ts";

/** What the observability port shows. */
export interface ObservabilitySources {
  readonly ready: () => boolean;
  readonly status: () => unknown;
  readonly registry: Registry;
}

/** A running observability port. */
export interface ObservabilityServer {
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  close(): Promise<void>;
}

/** `/healthz`, `/readyz`, `/status` and `/metrics` over plain HTTP, for probes and Prometheus on this host. */
export async function startObservability(
  address: { readonly host: string; readonly port: number },
  sources: ObservabilitySources,
): Promise<ObservabilityServer> {
  const server = createServer((request, response) => {
    // SECURITY: a browser on this host must not be led here by a foreign name (DNS rebinding).
    if (!isLocalHost(request.headers.host)) return answer(response, 403, "text/plain", "forbidden\n");
    if (request.method !== "GET" && request.method !== "HEAD")
      return answer(response, 405, "text/plain", "method not allowed\n");
    const path = (request.url ?? "/").split("?", 1)[0] ?? "/";
    serve(path, sources, response).catch((error: unknown) =>
      answer(response, 500, "text/plain", `${messageOf(error)}\n`),
    );
  });
  const port = await listen(server, address);
  return {
    url: `http://${address.host.includes(":") ? `[${address.host}]` : address.host}:${port}`,
    close: () => close(server),
  };
}

async function serve(path: string, sources: ObservabilitySources, response: ServerResponse): Promise<void> {
  switch (path) {
    case "/healthz":
      return answer(response, 200, "text/plain", "ok\n");
    case "/readyz":
      return sources.ready()
        ? answer(response, 200, "text/plain", "ready\n")
        : answer(response, 503, "text/plain", "not ready\n");
    case "/status":
      return answer(response, 200, "application/json", `${JSON.stringify(sources.status(), null, 2)}\n`);
    case "/metrics":
      return answer(response, 200, sources.registry.contentType, await sources.registry.metrics());
    default:
      return answer(response, 404, "text/plain", "not found\n");
  }
}

function answer(response: ServerResponse, status: number, type: string, body: string): void {
  if (response.headersSent) return;
  response.writeHead(status, {
    "content-type": type,
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
  });
  response.end(body);
}

const LOCAL_HOST = /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(?::\d+)?$/i;
const ANY_ADDRESS = /^(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\])(?::\d+)?$/i;

/** An address is fine: a rebinding page always comes with its own host name. */
function isLocalHost(host: string | undefined): boolean {
  return host === undefined || LOCAL_HOST.test(host) || ANY_ADDRESS.test(host);
}

function listen(server: Server, address: { readonly host: string; readonly port: number }): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", (error) =>
      reject(
        new AgentError("ERR_AGENT_LISTEN", `cannot listen on \`${address.host}:${address.port}\`: ${error.message}`, {
          cause: error,
          hint: "choose another port for metrics",
        }),
      ),
    );
    server.listen(address.port, address.host, () => {
      const bound = server.address();
      resolve(typeof bound === "object" && bound !== null ? bound.port : address.port);
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
