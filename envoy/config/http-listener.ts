import type { Listen } from "../../policies/index.ts";
import { openStreamLog, refusedRequestLog, tlsFailureLog } from "./access-log.ts";
import { cluster, httpOptions, KEEPALIVE } from "./cluster.ts";
import { connectionManager, listener } from "./connection-manager.ts";
import { appCluster, inboundAddress, type Part, type RenderContext } from "./context.ts";
import { parseEndpoint } from "./endpoint.ts";
import { httpAuthorization, listenerContext } from "./ext-authz.ts";
import { serialRemoval, withheldHeaders } from "./header-floor.ts";
import type { JsonObject } from "./json.ts";
import { tokenFilters } from "./jwt.ts";
import { edgeListenerTls, meshListenerTls } from "./tls.ts";

const ALPN = ["h2", "http/1.1"];

/** gRPC over HTTP, but not gRPC-Web, which is ordinary HTTP. */
const GRPC = {
  name: "content-type",
  string_match: { safe_regex: { regex: "application/grpc([+;].*)?" } },
};

/** An inbound HTTP listener: peers over mTLS, or, for `clients: public`, anybody. */
export function httpListener(context: RenderContext, listen: Listen): Part {
  const kind = listen.clients === "public" ? "edge" : "mesh";
  const name = `${kind}_${listen.port}`;
  const withheld = withheldHeaders(context.sidecar.checkHeaders);
  const tokens = tokenFilters(context.set);
  const manager = connectionManager({
    name,
    headers: {
      removes: "all",
      keep: context.sidecar.keepOverrideHeaders,
      identity: kind === "mesh" ? "peer" : "none",
    },
    upgrades: listen.upgrades,
    filters: [
      ...tokens,
      httpAuthorization({ envoyVersion: context.envoyVersion, withheld, tokens: tokens.length > 0 }),
      serialRemoval(),
    ],
    routes: routes(listen, listenerContext(kind, listen.port, withheld)),
    accessLog: refusedRequestLog(),
    ...(kind === "mesh" ? { openLog: openStreamLog() } : {}),
    forwarding: forwarding(listen),
  });
  const address = inboundAddress(context, listen.port);
  const inbound = listener({ name, address, filters: [manager], ...transport(context, listen) });
  return { listeners: [inbound], clusters: appClusters(listen) };
}

/** The identity that a peer showed reaches the app; what a client claims of certificates or addresses does not. */
function forwarding(listen: Listen): JsonObject {
  if (listen.clients === "mesh") {
    return {
      use_remote_address: false,
      forward_client_cert_details: "SANITIZE_SET",
      set_current_client_cert_details: { uri: true },
    };
  }
  // Without a certificate of its own the listener stands behind a balancer: that hop's address and scheme are believed.
  const trustedHops = listen.serverCertificate === undefined ? 1 : 0;
  return { use_remote_address: true, xff_num_trusted_hops: trustedHops, forward_client_cert_details: "SANITIZE" };
}

function transport(context: RenderContext, listen: Listen) {
  if (listen.clients === "mesh") {
    return { transportSocket: meshListenerTls(context.set, ALPN), accessLog: tlsFailureLog() };
  }
  if (listen.serverCertificate === undefined) return {};
  return { transportSocket: edgeListenerTls(listen.port, ALPN) };
}

/**
 * Every request meets one of these. Where nothing is said of the app, gRPC goes to it over HTTP/2 with prior knowledge, as gRPC
 * servers want it, and all else over HTTP/1.1. Both ways lead to one app and are authorized alike.
 */
function routes(listen: Listen, perFilter: JsonObject): readonly JsonObject[] {
  const route = (match: JsonObject, target: string): JsonObject => ({
    match: { prefix: "/", ...match },
    route: { cluster: target, timeout: "0s", retry_policy: { retry_on: "connect-failure", num_retries: 1 } },
    typed_per_filter_config: perFilter,
  });
  const all = route({}, appCluster(listen));
  return listen.appProtocol === undefined ? [route({ headers: [GRPC] }, http2Cluster(listen)), all] : [all];
}

function http2Cluster(listen: Listen): string {
  return `${appCluster(listen)}_http2`;
}

function appClusters(listen: Listen): readonly JsonObject[] {
  const endpoint = parseEndpoint(listen.app, listen.span);
  const extendedConnect = listen.upgrades.length > 0 ? { allow_connect: true } : {};
  const http2 = { http2_protocol_options: { connection_keepalive: KEEPALIVE, ...extendedConnect } };
  // Shorter than the time after which common servers close an idle connection: a request must not meet that close.
  const http1 = httpOptions({ http_protocol_options: {} }, { idle_timeout: "3s" });
  const overHttp1 = cluster(appCluster(listen), endpoint, { more: http1 });
  switch (listen.appProtocol) {
    case "http1":
      return [overHttp1];
    case "http2":
      return [cluster(appCluster(listen), endpoint, { more: httpOptions(http2) })];
    default:
      listen.appProtocol satisfies undefined;
      return [overHttp1, cluster(http2Cluster(listen), endpoint, { more: httpOptions(http2) })];
  }
}
