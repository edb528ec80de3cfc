import type { Listen } from "../../policies/index.ts";
import { formatEnvoyVersion } from "../binary/index.ts";
import { EnvoyError } from "../envoy-error.ts";
import { OPEN_INTERVAL, openConnectionLog, tlsFailureLog } from "./access-log.ts";
import { cluster } from "./cluster.ts";
import { configError } from "./config-error.ts";
import { listener } from "./connection-manager.ts";
import { appCluster, inboundAddress, type Part, type RenderContext } from "./context.ts";
import { parseEndpoint } from "./endpoint.ts";
import { connectionAuthorization } from "./ext-authz.ts";
import { supports } from "./feature.ts";
import { extension, type JsonObject } from "./json.ts";
import { edgeListenerTls, meshListenerTls, serverFirstTls } from "./tls.ts";

/** When the proxy opens its own connection. On its own account it would open it at accept, before anybody is authorized. */
type ConnectMode = "IMMEDIATE" | "ON_DOWNSTREAM_DATA" | "ON_DOWNSTREAM_TLS_HANDSHAKE";

/** An inbound TCP listener. The app sees no connection before its caller is authorized. */
export function tcpListener(context: RenderContext, listen: Listen): Part {
  requireDeferredConnect(context, listen);
  const name = `${listen.clients === "public" ? "edge" : "mesh"}_${listen.port}`;
  const connectMode = listen.speaksFirst === "server" ? "ON_DOWNSTREAM_TLS_HANDSHAKE" : "ON_DOWNSTREAM_DATA";
  const transport = transportOf(context, listen);
  const authorization = connectionAuthorization(name, transport.transportSocket !== undefined);
  const log = listen.clients === "public" ? {} : openLog();
  const filters = [authorization, tcpProxy(name, appCluster(listen), connectMode, log)];
  const address = inboundAddress(context, listen.port);
  return {
    listeners: [listener({ name, address, filters, ...transport })],
    clusters: [cluster(appCluster(listen), parseEndpoint(listen.app, listen.span))],
  };
}

/** The filter that carries bytes. Bounded in time, so that a caller is authorized anew and a silent one does not stay for ever. */
export function tcpProxy(
  statPrefix: string,
  target: string,
  connectMode: ConnectMode,
  log: JsonObject = {},
): JsonObject {
  const deferred =
    connectMode === "IMMEDIATE" ? {} : { upstream_connect_mode: connectMode, max_early_data_bytes: 16_384 };
  return extension("envoy.filters.network.tcp_proxy", "envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy", {
    stat_prefix: statPrefix,
    cluster: target,
    ...deferred,
    max_downstream_connection_duration: "3600s",
    idle_timeout: "600s",
    ...log,
  });
}

function openLog(): JsonObject {
  const access_log_options = { flush_access_log_on_connected: true, access_log_flush_interval: OPEN_INTERVAL };
  return { access_log: [openConnectionLog()], access_log_options };
}

function transportOf(
  context: RenderContext,
  listen: Listen,
): { readonly transportSocket?: JsonObject; readonly accessLog?: JsonObject } {
  if (listen.clients === "public") {
    if (listen.speaksFirst === "server") {
      throw configError(
        listen.span,
        `the public listener ${listen.port} cannot have a server that speaks first: its callers have no identity to be authorized by`,
        "use `speaksFirst: client`, or `clients: mesh`",
      );
    }
    return listen.serverCertificate === undefined ? {} : { transportSocket: edgeListenerTls(listen.port, []) };
  }
  // With a server that speaks first the handshake is the authorization; the `Check` at the client's first bytes comes on top.
  const tls =
    listen.speaksFirst === "server" ? serverFirstTls(context.set, listen.port) : meshListenerTls(context.set, []);
  return { transportSocket: tls, accessLog: tlsFailureLog() };
}

// SECURITY: an Envoy that cannot defer the connection to the app lets the app's first bytes reach callers that are then denied.
function requireDeferredConnect({ envoyVersion }: RenderContext, listen: Listen): void {
  if (supports(envoyVersion, "deferredConnect")) return;
  const { file, line, column } = listen.span;
  throw new EnvoyError(
    "ERR_ENVOY_TOO_OLD",
    `${file}:${line}:${column}: the tcp listener ${listen.port} cannot be protected by Envoy ${formatEnvoyVersion(envoyVersion)}`,
    { hint: "tcp listeners need Envoy 1.37 or newer, which connects to the app only after its caller is authorized" },
  );
}
