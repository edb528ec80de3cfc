import type { FileSecrets } from "../support/file-secrets.ts";

const FILTERS = "type.googleapis.com/envoy.extensions.filters.http";
const TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3";

/** What is Istio's, and what of it differs between the tests. */
export interface IstioSidecar {
  readonly port: number;
  readonly secrets: FileSecrets;
  /** Where the provider is reached, and the identity that its certificate must have. */
  readonly provider: { readonly port: number; readonly identity: string };
  /** Name of the secret that the sidecar shows to the provider. */
  readonly shownToProvider: string;
}

export const ROOTS = "ROOTCA";
export const PROVIDER_ROOTS = "file-root:/etc/cellwall/root.pem";
const AUTHORITY = "outbound_.9191_._.cellwall.cellwall-system.svc.cluster.local";

/**
 * An inbound listener as Istio's control plane renders it for a workload with `AuthorizationPolicy` action `CUSTOM` and a provider
 * `envoyExtAuthzGrpc`, mTLS STRICT, and a `DestinationRule` with `tls.mode: MUTUAL` for the provider; without the filters that only
 * Istio's own Envoy has.
 */
export function istioListener(sidecar: IstioSidecar): object {
  const provider = `outbound|9191|${sidecar.shownToProvider}|cellwall.cellwall-system.svc.cluster.local`;
  return {
    name: `virtualInbound-${sidecar.port}`,
    address: { socket_address: { address: "127.0.0.1", port_value: sidecar.port } },
    traffic_direction: "INBOUND",
    filter_chains: [
      {
        transport_socket: {
          name: "envoy.transport_sockets.tls",
          typed_config: {
            "@type": `${TLS}.DownstreamTlsContext`,
            common_tls_context: {
              tls_params: { tls_minimum_protocol_version: "TLSv1_2", tls_maximum_protocol_version: "TLSv1_3" },
              alpn_protocols: ["istio-peer-exchange", "h2", "http/1.1"],
              tls_certificate_sds_secret_configs: [sidecar.secrets.source("default")],
              combined_validation_context: {
                default_validation_context: {
                  match_typed_subject_alt_names: [{ san_type: "URI", matcher: { prefix: "spiffe://cluster.local/" } }],
                },
                validation_context_sds_secret_config: sidecar.secrets.source(ROOTS),
              },
            },
            require_client_certificate: true,
          },
        },
        filters: [connectionManager(provider)],
      },
    ],
  };
}

function connectionManager(provider: string): object {
  return {
    name: "envoy.filters.network.http_connection_manager",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
      stat_prefix: "inbound_0.0.0.0_8080",
      route_config: {
        name: "inbound|8080||",
        virtual_hosts: [
          {
            name: "inbound|http|8080",
            domains: ["*"],
            routes: [{ name: "default", match: { prefix: "/" }, route: { cluster: "inbound|8080||", timeout: "0s" } }],
          },
        ],
        validate_clusters: false,
      },
      http_filters: [
        {
          name: "envoy.filters.http.rbac",
          typed_config: {
            "@type": `${FILTERS}.rbac.v3.RBAC`,
            shadow_rules: {
              action: "DENY",
              policies: {
                "istio-ext-authz-ns[shop]-policy[cellwall]-rule[0]": {
                  permissions: [{ and_rules: { rules: [{ any: true }] } }],
                  principals: [{ and_ids: { ids: [{ any: true }] } }],
                },
              },
            },
            shadow_rules_stat_prefix: "istio_ext_authz_",
          },
        },
        {
          name: "envoy.filters.http.ext_authz",
          typed_config: {
            "@type": `${FILTERS}.ext_authz.v3.ExtAuthz`,
            grpc_service: { envoy_grpc: { cluster_name: provider, authority: AUTHORITY }, timeout: "600s" },
            filter_enabled_metadata: {
              filter: "envoy.filters.http.rbac",
              path: [{ key: "istio_ext_authz_shadow_effective_policy_id" }],
              value: { string_match: { prefix: "istio-ext-authz" } },
            },
            status_on_error: { code: "ServiceUnavailable" },
            transport_api_version: "V3",
          },
        },
        { name: "envoy.filters.http.router", typed_config: { "@type": `${FILTERS}.router.v3.Router` } },
      ],
      server_name: "istio-envoy",
      use_remote_address: false,
      forward_client_cert_details: "APPEND_FORWARD",
      set_current_client_cert_details: { subject: true, dns: true, uri: true },
      upgrade_configs: [{ upgrade_type: "websocket" }],
      normalize_path: true,
    },
  };
}

/** The clusters of the same sidecar. */
export function istioClusters(sidecar: IstioSidecar): readonly object[] {
  const name = `outbound|9191|${sidecar.shownToProvider}|cellwall.cellwall-system.svc.cluster.local`;
  return [
    {
      name,
      type: "STATIC",
      connect_timeout: "10s",
      load_assignment: loadAssignment(name, {
        socket_address: { address: "127.0.0.1", port_value: sidecar.provider.port },
      }),
      typed_extension_protocol_options: HTTP2,
      transport_socket: {
        name: "envoy.transport_sockets.tls",
        typed_config: {
          "@type": `${TLS}.UpstreamTlsContext`,
          common_tls_context: {
            tls_params: { tls_minimum_protocol_version: "TLSv1_2", tls_maximum_protocol_version: "TLSv1_3" },
            alpn_protocols: ["h2"],
            tls_certificate_sds_secret_configs: [sidecar.secrets.source(sidecar.shownToProvider)],
            combined_validation_context: {
              default_validation_context: {
                match_typed_subject_alt_names: [{ san_type: "URI", matcher: { exact: sidecar.provider.identity } }],
              },
              validation_context_sds_secret_config: sidecar.secrets.source(PROVIDER_ROOTS),
            },
          },
          sni: AUTHORITY,
        },
      },
    },
  ];
}

/** The cluster of the app that the sidecars protect. */
export function istioAppCluster(path: string): object {
  return {
    name: "inbound|8080||",
    type: "STATIC",
    connect_timeout: "10s",
    load_assignment: loadAssignment("inbound|8080||", { pipe: { path } }),
  };
}

export const HTTP2 = {
  "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
    "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
    explicit_http_config: { http2_protocol_options: {} },
  },
};

export function loadAssignment(cluster_name: string, address: object): object {
  return { cluster_name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] };
}
