import type { EnvoyVersion } from "../binary/index.ts";
import { CONTEXT } from "../wire/context-extensions.ts";
import { JWT_NAMESPACE } from "../wire/jwt-metadata.ts";
import { AUTHZ_CLUSTER } from "./cluster.ts";
import { supports } from "./feature.ts";
import { extension, type JsonObject, typed } from "./json.ts";

const HTTP_FILTER = "envoy.filters.http.ext_authz";
const HTTP_TYPE = "envoy.extensions.filters.http.ext_authz.v3";
const NETWORK_FILTER = "envoy.filters.network.ext_authz";
const NETWORK_TYPE = "envoy.extensions.filters.network.ext_authz.v3.ExtAuthz";

/** What a `Check` may take in all, and what one try of it may take. Envoy reads `max_interval` as the deadline of each try. */
const CHECK_TIMEOUT = "0.25s";
const TRY_TIMEOUT = "0.12s";

const OTHER_HOSTS = extension(
  "envoy.retry_host_predicates.previous_hosts",
  "envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
);

/** How an HTTP listener asks for authorization. */
export interface HttpAuthorization {
  readonly envoyVersion: EnvoyVersion;
  readonly withheld: readonly string[];
  /** Whether `jwt_authn` runs before. */
  readonly tokens: boolean;
}

/** The HTTP authorization filter: every request is a `Check`, and whatever goes wrong is a denial with 503. */
export function httpAuthorization({ envoyVersion, withheld, tokens }: HttpAuthorization): JsonObject {
  return extension(HTTP_FILTER, `${HTTP_TYPE}.ExtAuthz`, {
    transport_api_version: "V3",
    grpc_service: checkService(),
    // SECURITY: an agent that does not answer is a denial.
    failure_mode_allow: false,
    status_on_error: { code: "ServiceUnavailable" },
    encode_raw_headers: true,
    ...(withheld.length === 0 ? {} : { disallowed_headers: { patterns: withheld.map((exact) => ({ exact })) } }),
    ...(tokens ? { metadata_context_namespaces: [JWT_NAMESPACE] } : {}),
    validate_mutations: true,
    // SECURITY: the answer can set our own headers and nothing else: no path, method or host.
    decoder_header_mutation_rules: {
      disallow_all: true,
      allow_expression: { regex: "^x-cellwall-[a-z-]+$" },
      disallow_is_error: true,
    },
    charge_cluster_response_stats: false,
    clear_route_cache: false,
    max_denied_response_body_bytes: 4096,
    ...(supports(envoyVersion, "responseHeaderLimits") ? { enforce_response_header_limits: true } : {}),
  });
}

/** What each route tells `Check` about its listener. */
export function listenerContext(kind: "mesh" | "edge", port: number, withheld: readonly string[]): JsonObject {
  const extensions = {
    [CONTEXT.listener]: kind,
    [CONTEXT.port]: String(port),
    [CONTEXT.withheld]: withheld.join(","),
  };
  const perRoute = typed(`${HTTP_TYPE}.ExtAuthzPerRoute`, { check_settings: { context_extensions: extensions } });
  return { [HTTP_FILTER]: perRoute };
}

/** The network authorization filter: one `Check` a connection, at the client's first bytes. */
export function connectionAuthorization(statPrefix: string, tls: boolean): JsonObject {
  return extension(NETWORK_FILTER, NETWORK_TYPE, {
    stat_prefix: statPrefix,
    transport_api_version: "V3",
    grpc_service: checkService(),
    failure_mode_allow: false,
    ...(tls ? { send_tls_alert_on_denial: true } : {}),
  });
}

function checkService(): JsonObject {
  return {
    envoy_grpc: { cluster_name: AUTHZ_CLUSTER },
    timeout: CHECK_TIMEOUT,
    retry_policy: {
      retry_on: "unavailable,reset,connect-failure",
      num_retries: 1,
      retry_back_off: { base_interval: "0.005s", max_interval: TRY_TIMEOUT },
      retry_host_predicate: [OTHER_HOSTS],
      host_selection_retry_max_attempts: 3,
    },
  };
}
