import { ENVOY_CLUSTER } from "./cluster.ts";
import { extension, type JsonObject } from "./json.ts";

/** Names of the access logs that a generated sidecar sends to the agent. */
export const ACCESS_LOG = {
  /** Handshakes that failed: no certificate, a foreign one. What the peer showed is unverified. */
  tls: "cellwall-tls",
  /** HTTP requests that the sidecar refused by itself, before any `Check`. */
  refused: "cellwall-refused",
  /** Streams and connections of peers that stay open. */
  open: "cellwall-open",
} as const;

/** How often a sidecar tells of what stays open; a request that is over sooner is never told of. */
const OPEN_SECONDS = 5;

/** Makes Envoy tell of what stays open again and again. */
export const OPEN_INTERVAL = `${OPEN_SECONDS}s`;

/**
 * How the response code details of a request that was let through to `Check` begin. Everything else the sidecar answered itself:
 * a path that cannot be normalised, an underscore in a header's name, an upgrade that is not enabled, a malformed request.
 */
const AFTER_CHECK = [
  "ext_authz_",
  "via_upstream",
  "upstream_",
  "no_healthy_upstream",
  "response_timeout",
  "max_duration_timeout",
  "stream_idle_timeout",
  "downstream_remote_disconnect",
  "direct_response",
];

/** Log of a listener: only connections whose TLS handshake failed. */
export function tlsFailureLog(): JsonObject {
  return {
    name: "envoy.access_loggers.tcp_grpc",
    filter: celFilter("connection.transport_failure_reason != ''"),
    ...log("envoy.access_loggers.tcp_grpc", "TcpGrpcAccessLogConfig", ACCESS_LOG.tls),
  };
}

/** Log of a TCP proxy: each connection of a peer when it opens, while it lasts, and at its end. */
export function openConnectionLog(): JsonObject {
  return {
    name: "envoy.access_loggers.tcp_grpc",
    filter: { log_type_filter: { types: ["TcpUpstreamConnected", "TcpPeriodic", "TcpConnectionEnd"] } },
    ...log("envoy.access_loggers.tcp_grpc", "TcpGrpcAccessLogConfig", ACCESS_LOG.open),
  };
}

/** Log of an HTTP listener: requests that have come as far as `Check` and last, while they do and at their end. */
export function openStreamLog(): JsonObject {
  const value = { default_value: OPEN_SECONDS * 1000, runtime_key: "cellwall.open_stream_milliseconds" };
  const ended = [
    { log_type_filter: { types: ["DownstreamEnd"] } },
    { duration_filter: { comparison: { op: "GE", value } } },
    celFilter(passedCheck()),
  ];
  return {
    name: "envoy.access_loggers.http_grpc",
    filter: {
      or_filter: {
        filters: [{ log_type_filter: { types: ["DownstreamPeriodic"] } }, { and_filter: { filters: ended } }],
      },
    },
    ...log("envoy.access_loggers.http_grpc", "HttpGrpcAccessLogConfig", ACCESS_LOG.open),
  };
}

/** Log of an HTTP listener: only requests that were refused before authorization. */
export function refusedRequestLog(): JsonObject {
  return {
    name: "envoy.access_loggers.http_grpc",
    filter: celFilter(`!(${passedCheck()})`),
    ...log("envoy.access_loggers.http_grpc", "HttpGrpcAccessLogConfig", ACCESS_LOG.refused),
  };
}

function passedCheck(): string {
  return AFTER_CHECK.map((prefix) => `response.code_details.startsWith('${prefix}')`).join(" || ");
}

function celFilter(expression: string): JsonObject {
  const type = "envoy.extensions.access_loggers.filters.cel.v3.ExpressionFilter";
  return { extension_filter: extension("envoy.access_loggers.extension_filters.cel", type, { expression }) };
}

function log(name: string, type: string, logName: string): JsonObject {
  return extension(name, `envoy.extensions.access_loggers.grpc.v3.${type}`, {
    common_config: {
      log_name: logName,
      transport_api_version: "V3",
      buffer_flush_interval: "0.25s",
      grpc_service: { envoy_grpc: { cluster_name: ENVOY_CLUSTER } },
    },
  });
}
