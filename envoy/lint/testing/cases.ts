import type { EnvoyVersion } from "../../binary/index.ts";
import type { LintId } from "../catalogue/index.ts";
import type { Change } from "./hardened.ts";

/** A hole made in the hardened configuration, and whether a patch closes it. */
export interface HoleCase {
  readonly changes: readonly Change[];
  readonly mended: boolean;
  /** A patch tells the agent that the listener is public, and what is declared is no finding. */
  readonly declared?: boolean;
  /** Version that the configuration is for, where it matters. */
  readonly version?: EnvoyVersion;
}

const mended = (...changes: readonly Change[]): HoleCase => ({ changes, mended: true });
const left = (...changes: readonly Change[]): HoleCase => ({ changes, mended: false });

const type = (name: string): string => `type.googleapis.com/envoy.${name}`;
const filter = (name: string, kind: string, config: object = {}) => ({
  name,
  typed_config: { "@type": type(kind), ...config },
});
const rbac = (config: object) => filter("envoy.filters.http.rbac", "extensions.filters.http.rbac.v3.RBAC", config);
const policy = (permission: object, more: object = {}) => ({
  p: { permissions: [permission], principals: [{ any: true }], ...more },
});
const rules = (policies: object, action = "ALLOW") => rbac({ rules: { action, policies } });

const FILTERS = "hcm.http_filters";
const GATE = { filter: "envoy.filters.http.rbac", path: [{ key: "x" }], value: { string_match: { exact: "allowed" } } };
const ROUTER = filter("envoy.filters.http.router", "extensions.filters.http.router.v3.Router");
const JWT = filter("envoy.filters.http.jwt_authn", "extensions.filters.http.jwt_authn.v3.JwtAuthentication");
const PIPE_ADMIN = { pipe: { path: "/run/admin.sock" } };
const tcpAdmin = (address: string) => ({ socket_address: { address, port_value: 9901 } });
const MATCHER = (prefix: string) => [{ san_type: "URI", matcher: { prefix } }];
const CA = { trusted_ca: { filename: "/etc/ca.pem" } };
const CONTEXT = "tls.common_tls_context.combined_validation_context";
const ownContext = (context: object): readonly Change[] => [
  [CONTEXT, undefined],
  ["tls.common_tls_context.validation_context", { ...CA, ...context }],
];
const perRoute = (config: object): Change => [
  "host.routes.0.typed_per_filter_config.envoy~filters~http~ext_authz",
  config,
];
const PER_ROUTE = type("extensions.filters.http.ext_authz.v3.ExtAuthzPerRoute");

/** A configuration with the hole for each kind of finding: the types see to it that none is left out. */
export const CASES: Readonly<Record<LintId, HoleCase>> = {
  "no-authorization": mended([FILTERS, [ROUTER]]),
  "no-connection-authorization": mended(["tcpchain.filters.0", filter("x", "x.Other")]),
  "unauthorized-paths": left(
    [FILTERS, [ROUTER]],
    [
      "host.routes",
      [
        {
          match: {
            path: "/healthz",
            headers: [
              { name: ":path", string_match: { exact: "/healthz" } },
              { name: ":method", string_match: { exact: "GET" } },
            ],
          },
          route: { cluster: "app_8443" },
        },
        { match: { prefix: "/" }, direct_response: { status: 404 } },
      ],
    ],
  ),
  "failure-mode-allow": mended(["authz.failure_mode_allow", true]),
  "authorization-disabled": mended([`${FILTERS}.1.disabled`, true]),
  "authorization-sampled": mended([
    "authz.filter_enabled",
    { default_value: { numerator: 50, denominator: "HUNDRED" } },
  ]),
  "authorization-gated": left(["authz.filter_enabled_metadata", GATE]),
  "route-authorization-disabled": mended(perRoute({ "@type": PER_ROUTE, disabled: true })),
  "authorization-shadowed": mended(["authz.shadow_mode", true]),
  "no-catch-all-route": mended(["host.routes", [{ match: { prefix: "/api" }, route: { cluster: "app_8443" } }]]),
  "route-cache-cleared": mended(["authz.clear_route_cache", true]),
  "request-changed-after-authorization": left(
    [`${FILTERS}.3`, filter("lua", "extensions.filters.http.lua.v3.Lua")],
    [`${FILTERS}.4`, ROUTER],
  ),
  "answer-before-authorization": left([
    `${FILTERS}.0`,
    filter("cache", "extensions.filters.http.cache.v3.CacheConfig"),
  ]),
  "path-rewritten": left(["host.routes.0.route.regex_rewrite", { pattern: { regex: "^/a" }, substitution: "/b" }]),
  "body-buffered": left(["authz.with_request_body", { max_request_bytes: 1024 }]),
  "partial-body": left(["authz.with_request_body", { max_request_bytes: 1024, allow_partial_message: true }]),
  "check-deadline": mended(["authz.grpc_service.timeout", undefined]),
  "check-retry-deadline": mended([
    "authz.grpc_service.retry_policy.retry_back_off",
    { base_interval: "0.001s", max_interval: "0.02s" },
  ]),
  "check-retry-ignored": left(["authz.grpc_service.envoy_grpc.retry_policy", { num_retries: 2 }]),
  "outage-looks-like-denial": mended(["authz.status_on_error", undefined]),
  "joined-headers": mended(["authz.encode_raw_headers", undefined]),
  "secrets-to-authorization": mended(["authz.disallowed_headers", undefined]),
  "unrestricted-mutations": mended(["authz.decoder_header_mutation_rules", {}]),
  "mutations-unvalidated": mended(["authz.validate_mutations", false]),
  "denials-charged-to-app": mended(["authz.charge_cluster_response_stats", undefined]),
  "denial-body-unbounded": mended(["authz.max_denied_response_body_bytes", 0]),
  "route-authorization-service": left(
    perRoute({
      "@type": PER_ROUTE,
      check_settings: { grpc_service: { envoy_grpc: { cluster_name: "cellwall_authz" } } },
    }),
  ),
  "http-authorization-service": left(
    ["authz.grpc_service", undefined],
    ["authz.http_service", { server_uri: { uri: "http://127.0.0.1:9", cluster: "app_8443", timeout: "1s" } }],
  ),
  "control-cluster-exposed": left([
    "static_resources.clusters.4.load_assignment.endpoints.0.lb_endpoints.0.endpoint.address",
    { socket_address: { address: "10.0.0.9", port_value: 9000 } },
  ]),

  "path-not-normalized": mended(["hcm.normalize_path", undefined]),
  "slashes-not-merged": mended(["hcm.merge_slashes", false]),
  "escaped-slashes-kept": mended(["hcm.path_with_escaped_slashes_action", "KEEP_UNCHANGED"]),
  "path-parameters-ignored": mended(["routes.ignore_path_parameters_in_path_matching", true]),
  "underscores-in-headers": mended(["hcm.common_http_protocol_options.headers_with_underscores_action", "ALLOW"]),
  "client-certificate-header-trusted": mended(["hcm.forward_client_cert_details", "APPEND_FORWARD"]),
  "envoy-headers-trusted": mended(["hcm.early_header_mutation_extensions", undefined]),
  "request-id-trusted": mended(["hcm.early_header_mutation_extensions", undefined]),
  "override-headers-kept": mended(["hcm.early_header_mutation_extensions", undefined]),
  "host-ambiguous": mended(["hcm.strip_any_host_port", undefined], ["hcm.strip_trailing_host_dot", undefined]),
  "internal-addresses": mended([
    "hcm.internal_address_config",
    { cidr_ranges: [{ address_prefix: "10.0.0.0", prefix_len: 8 }] },
  ]),
  "caller-header-forgeable": mended([
    "hcm.early_header_mutation_extensions.0.typed_config.mutations.99",
    {
      append: {
        header: { key: "x-client-id", value: "%DOWNSTREAM_PEER_URI_SAN%" },
        append_action: "OVERWRITE_IF_EXISTS_OR_ADD",
      },
    },
  ]),
  "caller-header-removed-late": mended(["host.request_headers_to_remove", ["x-cellwall-caller", "x-debug"]]),
  "peer-serial-kept": mended([`${FILTERS}.2`, ROUTER], [`${FILTERS}.3`, undefined]),
  "client-address-trusted": left([
    "hcm.original_ip_detection_extensions",
    [filter("envoy.http.original_ip_detection.custom_header", "x.CustomHeaderConfig", { header_name: "x-real-ip" })],
  ]),
  "proxy-protocol-trusted": left(
    ["listener.address.socket_address.address", "0.0.0.0"],
    ["listener.listener_filters", [filter("envoy.filters.listener.proxy_protocol", "x.ProxyProtocol")]],
  ),
  "chunked-length-allowed": mended(["hcm.http_protocol_options", { allow_chunked_length: true }]),
  "invalid-messages-tolerated": mended([
    "hcm.http2_protocol_options.override_stream_error_on_invalid_http_message",
    true,
  ]),
  "custom-methods-allowed": mended(["hcm.http_protocol_options", { allow_custom_methods: true }]),
  "upgrades-enabled": left(["hcm.upgrade_configs", [{ upgrade_type: "CONNECT" }]]),
  "unbounded-streams": mended(["hcm.common_http_protocol_options.max_stream_duration", undefined]),
  "slow-headers": mended(["hcm.request_headers_timeout", "0s"]),
  "idle-streams-kept": mended(["hcm.stream_idle_timeout", "0s"]),
  "late-drain": mended(["hcm.drain_timeout", undefined]),
  "unbounded-http2-streams": mended(["hcm.http2_protocol_options", undefined]),

  "anonymous-listener": {
    changes: [
      ["listener.filter_chains.0.transport_socket", undefined],
      ["listener.address.socket_address.address", "0.0.0.0"],
    ],
    mended: false,
    declared: true,
  },
  "client-certificate-optional": mended(["tls.require_client_certificate", false]),
  "untrusted-certificates-accepted": mended(["fixed.trust_chain_verification", "ACCEPT_UNTRUSTED"]),
  "certificate-names-unchecked": mended(...ownContext({})),
  "certificate-name-type-unchecked": left(
    ...ownContext({ match_subject_alt_names: [{ exact: "spiffe://shop.example/web" }] }),
  ),
  "trust-domain-prefix-open": mended(["fixed.match_typed_subject_alt_names", MATCHER("spiffe://shop.example")]),
  "trust-domains-share-roots": left(
    ...ownContext({
      match_typed_subject_alt_names: [...MATCHER("spiffe://a.example/"), ...MATCHER("spiffe://b.example/")],
    }),
  ),
  "secrets-admit-everybody": mended([`${CONTEXT}.default_validation_context`, {}]),
  "secrets-not-awaited": mended([
    `${CONTEXT}.validation_context_sds_secret_config.sds_config.initial_fetch_timeout`,
    "5s",
  ]),
  "sessions-resumed": mended(["tls.disable_stateless_session_resumption", undefined]),
  "old-tls": mended(["tls.common_tls_context.tls_params.tls_minimum_protocol_version", "TLSv1_0"]),
  "revocation-list-ignored": left(
    ...ownContext({
      custom_validator_config: { name: "envoy.tls.cert_validator.spiffe" },
      crl: { filename: "/crl.pem" },
    }),
  ),
  "upstream-unverified": left(["peer.common_tls_context.combined_validation_context", undefined]),
  "upstream-name-unchecked": left([
    "peer.common_tls_context.combined_validation_context.default_validation_context.match_typed_subject_alt_names",
    undefined,
  ]),
  "egress-exposed": left(
    ["egress.address.socket_address.address", "0.0.0.0"],
    ["egress.traffic_direction", "OUTBOUND"],
  ),

  "rbac-path-unguarded": left([`${FILTERS}.0`, rules(policy({ url_path: { path: { prefix: "/a/" } } }))]),
  "rbac-uri-template": left([`${FILTERS}.0`, rules(policy({ uri_template: { typed_config: {} } }), "DENY")]),
  "rbac-header-regex": left([
    `${FILTERS}.0`,
    rules(policy({ header: { name: "x-role", string_match: { safe_regex: { regex: "admin.*" } } } })),
  ]),
  "rbac-principal-name": left([
    `${FILTERS}.0`,
    rules({
      p: {
        permissions: [{ any: true }],
        principals: [{ authenticated: { principal_name: { exact: "spiffe://shop.example/web" } } }],
      },
    }),
  ]),
  "rbac-condition-ignored": left([`${FILTERS}.0`, rules(policy({ any: true }, { checked_condition: { expr: {} } }))]),
  "rbac-condition-headers": left([
    `${FILTERS}.0`,
    rules(
      policy(
        { any: true },
        { condition: { select_expr: { operand: { ident_expr: { name: "request" } }, field: "headers" } } },
      ),
    ),
  ]),
  "rbac-admits-upgrades": left(
    [
      `${FILTERS}.0`,
      rbac({ shadow_rules: { action: "ALLOW", policies: policy({ url_path: { path: { exact: "/a" } } }) } }),
    ],
    ["authz.filter_enabled_metadata", { ...GATE, invert: true }],
    ["hcm.upgrade_configs", [{ upgrade_type: "websocket" }]],
  ),
  "filter-without-default": left([
    `${FILTERS}.0`,
    {
      name: "native",
      config_discovery: { type_urls: [type("extensions.filters.http.rbac.v3.RBAC")], config_source: { ads: {} } },
    },
  ]),
  "token-in-query": mended(["jwt.providers.idp.from_headers", undefined]),
  "token-audience-unchecked": left(["jwt.providers.idp.audiences", undefined]),
  "tokens-after-authorization": left([`${FILTERS}.3`, JWT], [`${FILTERS}.4`, ROUTER]),
  "token-failures-hidden": mended(["jwt.providers.idp.failed_status_in_metadata", undefined]),
  "banner-before-authorization": mended(
    ["tcp.upstream_connect_mode", undefined],
    ["tcp.max_early_data_bytes", undefined],
  ),
  "unbounded-connections": mended(["tcp.max_downstream_connection_duration", undefined]),
  "envoy-version": { changes: [], mended: false, version: { major: 1, minor: 38, patch: 3 } },
  "runtime-guard-off": mended([
    "layered_runtime.layers",
    [{ name: "static", static_layer: { "envoy.reloadable_features.match_headers_individually": false } }],
  ]),
  "admin-exposed": left(["admin.address", tcpAdmin("0.0.0.0")]),
  "admin-on-tcp": left(["admin.address", tcpAdmin("127.0.0.1")]),
  "admin-socket-open": mended(["admin.address", PIPE_ADMIN]),
  "no-overload-limit": mended(["overload_manager", undefined]),
  "port-reusable": mended(["listener.enable_reuse_port", undefined]),
  "no-access-log": mended(["hcm.access_log", undefined], ["listener.access_log", undefined]),
  "secrets-in-access-log": left([
    "hcm.access_log.1",
    filter("file", "extensions.access_loggers.file.v3.FileAccessLog", {
      path: "/dev/stdout",
      log_format: { text_format_source: { inline_string: "%REQ(:PATH)% %REQ(AUTHORIZATION)%\n" } },
    }),
  ]),
  "unseen-resources": left(["dynamic_resources", { lds_config: { ads: {} } }]),
};
