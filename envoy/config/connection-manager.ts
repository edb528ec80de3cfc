import { OPEN_INTERVAL } from "./access-log.ts";
import type { Endpoint } from "./endpoint.ts";
import { earlyHeaderMutation, type HeaderFloor } from "./header-floor.ts";
import { extension, type JsonObject } from "./json.ts";

const FILTER = "envoy.filters.network.http_connection_manager";
const TYPE = "envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";

/** What differs between the HTTP connection managers of a sidecar. */
export interface ConnectionManager {
  readonly name: string;
  readonly headers: HeaderFloor;
  readonly upgrades: readonly "websocket"[];
  readonly filters: readonly JsonObject[];
  readonly routes: readonly JsonObject[];
  readonly accessLog?: JsonObject;
  /** Log of requests that last. */
  readonly openLog?: JsonObject;
  /** Forwarded client certificates and client addresses: see the callers. */
  readonly forwarding: JsonObject;
}

/**
 * An HTTP connection manager with the floor that every one of ours has: the path is normalised before anything reads it,
 * what cannot be is refused, and every request meets a route, because one without a route would skip authorization.
 */
export function connectionManager(manager: ConnectionManager): JsonObject {
  return extension(FILTER, TYPE, {
    stat_prefix: manager.name,
    codec_type: "AUTO",
    server_header_transformation: "PASS_THROUGH",
    ...PATH_FLOOR,
    ...manager.forwarding,
    ...TIME_FLOOR,
    http2_protocol_options: http2Options(manager.upgrades.length > 0),
    ...upgradeConfigs(manager.upgrades),
    early_header_mutation_extensions: [earlyHeaderMutation(manager.headers)],
    ...accessLogs(manager),
    route_config: {
      name: manager.name,
      virtual_hosts: [{ name: manager.name, domains: ["*"], routes: manager.routes }],
    },
    http_filters: [...manager.filters, ROUTER],
  });
}

function accessLogs({ accessLog, openLog }: ConnectionManager): JsonObject {
  const logs = [accessLog, openLog].filter((log) => log !== undefined);
  return {
    ...(logs.length === 0 ? {} : { access_log: logs }),
    ...(openLog === undefined ? {} : { access_log_options: { access_log_flush_interval: OPEN_INTERVAL } }),
  };
}

/** How paths and hosts are read. */
export const PATH_FLOOR: JsonObject = {
  normalize_path: true,
  merge_slashes: true,
  path_with_escaped_slashes_action: "REJECT_REQUEST",
  strip_trailing_host_dot: true,
  strip_any_host_port: true,
};

/** What every connection and stream of ours is bound by. */
export const COMMON_FLOOR: JsonObject = {
  headers_with_underscores_action: "REJECT_REQUEST",
  idle_timeout: "300s",
  // A peer shows its certificate anew at least this often.
  max_connection_duration: "1800s",
  max_headers_count: 100,
  // The only bound that ends a busy WebSocket or a long gRPC stream.
  max_stream_duration: "3600s",
};

/** What bounds connections, streams and headers. */
export const TIME_FLOOR: JsonObject = {
  drain_timeout: "2s",
  stream_idle_timeout: "300s",
  request_headers_timeout: "10s",
  common_http_protocol_options: COMMON_FLOOR,
};

const ROUTER = extension("envoy.filters.http.router", "envoy.extensions.filters.http.router.v3.Router", {
  suppress_envoy_headers: true,
});

function http2Options(extendedConnect: boolean): JsonObject {
  return {
    max_concurrent_streams: 100,
    initial_stream_window_size: 65_536,
    initial_connection_window_size: 1_048_576,
    ...(extendedConnect ? { allow_connect: true } : {}),
  };
}

function upgradeConfigs(upgrades: readonly "websocket"[]): JsonObject {
  return upgrades.length === 0 ? {} : { upgrade_configs: upgrades.map((upgrade_type) => ({ upgrade_type })) };
}

/** What every TCP or HTTP listener has in common. */
export interface Listener {
  readonly name: string;
  readonly address: JsonObject;
  readonly filters: readonly JsonObject[];
  readonly transportSocket?: JsonObject;
  readonly accessLog?: JsonObject;
}

/** A listener with one filter chain. */
export function listener({ name, address, filters, transportSocket, accessLog }: Listener): JsonObject {
  const tls =
    transportSocket === undefined ? {} : { transport_socket_connect_timeout: "5s", transport_socket: transportSocket };
  return {
    name,
    address,
    // SECURITY: with port reuse another process of the same user could bind the port as well and get a share of the connections.
    enable_reuse_port: false,
    per_connection_buffer_limit_bytes: 32_768,
    ...(accessLog === undefined ? {} : { access_log: [accessLog] }),
    filter_chains: [{ filters, ...tls }],
  };
}

/** An endpoint that a listener can be bound to. */
export type BindEndpoint = Exclude<Endpoint, { readonly kind: "name" }>;
