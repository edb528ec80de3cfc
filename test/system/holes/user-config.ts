import { join } from "node:path";
import { stringify } from "yaml";
import type { TestCertificate } from "../../../spiffe/testing/index.ts";
import { type Around, extension, type Hole, socketCluster, toApp } from "./hole.ts";

/** What the listeners are made for. */
export interface Place {
  readonly around: Around;
  /** The certificate that listeners show. */
  readonly server: TestCertificate;
  /** One for each hole. */
  readonly ports: readonly number[];
  /** Paths of the admin interface's socket, of the agent's and of one that allows everything. */
  readonly admin: string;
  readonly authz: string;
  readonly generous: string;
}

const GRPC = {
  typed_extension_protocol_options: {
    "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
      "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
};
const CHECK = {
  transport_api_version: "V3",
  grpc_service: { envoy_grpc: { cluster_name: "cellwall_authz" }, timeout: "1s" },
};

const GUARD = "envoy.reloadable_features.http_reject_path_with_fragment";

/** The configuration as lint is shown it: listeners that the network is to reach have an address that it reaches. */
export function configOf(holes: readonly Hole[], place: Place): string {
  const { around, ports, admin, authz, generous } = place;
  const { folder } = around;
  const config = {
    node: { id: "shop/orders", cluster: "cellwall" },
    admin: { address: { pipe: { path: admin } } },
    ...(holes.some(({ id }) => id === "runtime-guard-off")
      ? { layered_runtime: { layers: [{ name: "static", static_layer: { [GUARD]: false } }] } }
      : {}),
    static_resources: {
      listeners: holes.map((hole, index) => listener(hole, ports[index] ?? 0, place)),
      clusters: [
        socketCluster("app", join(folder, "app.sock")),
        socketCluster("tcp", join(folder, "tcp.sock")),
        socketCluster("dead", join(folder, "dead.sock"), GRPC),
        socketCluster("generous", generous, GRPC),
        socketCluster("cellwall_authz", authz, GRPC),
        ...holes.flatMap(({ cluster }) => (cluster === undefined ? [] : [cluster(around)])),
      ],
    },
  };
  return stringify(config, { lineWidth: 0, aliasDuplicateObjects: false });
}

function listener(hole: Hole, port: number, { around, server }: Place): object {
  const certificate = {
    certificate_chain: { inline_string: server.chainPem },
    private_key: { inline_string: server.keyPem },
  };
  const { common_tls_context = {}, ...tls }: { common_tls_context?: object } = hole.tls?.(around) ?? {};
  const context = { ...tls, common_tls_context: { tls_certificates: [certificate], ...common_tls_context } };
  const transport = extension("envoy.transport_sockets.tls", "transport_sockets.tls.v3.DownstreamTlsContext", context);
  return {
    name: hole.id,
    address: { socket_address: { address: hole.exposed ? "0.0.0.0" : "127.0.0.1", port_value: port } },
    filter_chains: [
      { filters: hole.tcp ? tcpFilters(hole) : [manager(hole)], ...(hole.tls ? { transport_socket: transport } : {}) },
    ],
    ...hole.listener,
  };
}

function tcpFilters({ authz, id }: Hole): readonly object[] {
  const check = extension("envoy.filters.network.ext_authz", "filters.network.ext_authz.v3.ExtAuthz", {
    stat_prefix: id,
    ...CHECK,
  });
  const proxy = extension("envoy.filters.network.tcp_proxy", "filters.network.tcp_proxy.v3.TcpProxy", {
    stat_prefix: id,
    cluster: "tcp",
  });
  return authz === "none" ? [proxy] : [check, proxy];
}

function manager({ id, hcm, authz = {}, filters, routes, host }: Hole): object {
  const check = extension("envoy.filters.http.ext_authz", "filters.http.ext_authz.v3.ExtAuthz", {
    ...CHECK,
    ...(authz === "none" ? {} : authz),
  });
  const router = extension("envoy.filters.http.router", "filters.http.router.v3.Router");
  const all = { name: id, domains: ["*"], routes: [toApp()], ...host };
  const usual = authz === "none" ? [router] : [check, router];
  return extension(
    "envoy.filters.network.http_connection_manager",
    "filters.network.http_connection_manager.v3.HttpConnectionManager",
    {
      stat_prefix: id,
      route_config: { name: id, virtual_hosts: [all], ...routes },
      http_filters: filters?.(check, router) ?? usual,
      ...hcm,
    },
  );
}
