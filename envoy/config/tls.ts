import type { Mesh, PolicySet, Workload } from "../../policies/index.ts";
import { NOBODY, THROW_AWAY_ANCHOR } from "../throw-away-anchor.ts";
import { ENVOY_CLUSTER, IDENTITY_CLUSTER } from "./cluster.ts";
import { type JsonObject, typed } from "./json.ts";

const TLS = "envoy.transport_sockets.tls";
const DOWNSTREAM = "envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext";
const UPSTREAM = "envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext";
const ONLY_TLS_1_3 = { tls_minimum_protocol_version: "TLSv1_3", tls_maximum_protocol_version: "TLSv1_3" };

/** Secret names that the agent serves (SDS). */
const OWN_CERTIFICATE = "default";
const ALL_TRUST_DOMAINS = "ALL";

/** Name of the secret with the exact callers of a server-first listener. */
export function callersSecret(port: number): string {
  return `tcp/${port}`;
}

/** Name of the secret with a public listener's certificate. */
export function edgeSecret(port: number): string {
  return `edge/${port}`;
}

/** TLS of a mesh listener: every peer shows a certificate of the mesh's own or a federated trust domain. */
export function meshListenerTls(set: Pick<PolicySet, "mesh">, alpn: readonly string[]): JsonObject {
  return listenerTls(alpn, set.mesh, validation(peerMatchers(set.mesh), ALL_TRUST_DOMAINS));
}

/**
 * TLS of a server-first listener: only the callers that the agent names get through the handshake.
 * SECURITY: Envoy ORs its own matchers with the agent's; a matcher for nobody turns an empty list into "nobody" instead of "everybody".
 */
export function serverFirstTls({ mesh }: Pick<PolicySet, "mesh">, port: number): JsonObject {
  return listenerTls([], mesh, validation([uriMatcher({ exact: NOBODY })], callersSecret(port)));
}

/** TLS of an edge listener: the certificate that the agent reads from the listener's folder, anew when it changes; no client certificate. */
export function edgeListenerTls(port: number, alpn: readonly string[]): JsonObject {
  return transportSocket(DOWNSTREAM, {
    require_client_certificate: false,
    common_tls_context: {
      alpn_protocols: alpn,
      tls_params: { tls_minimum_protocol_version: "TLSv1_2", tls_maximum_protocol_version: "TLSv1_3" },
      tls_certificate_sds_secret_configs: [secret(edgeSecret(port))],
    },
  });
}

/** Whom a call leads to. */
export type Peer = Pick<Workload, "identity" | "name" | "namespace">;

/** TLS towards one peer, which must show exactly the callee's identity. */
export function peerTls({ mesh }: Pick<PolicySet, "mesh">, callee: Peer, alpn: readonly string[]): JsonObject {
  const only = [uriMatcher({ exact: callee.identity.toString() })];
  return transportSocket(UPSTREAM, {
    sni: `${callee.name}.${callee.namespace}.cellwall.internal`,
    // No session resumption: each connection verifies the peer anew.
    max_session_keys: 0,
    common_tls_context: commonTls(alpn, mesh, validation(only, ALL_TRUST_DOMAINS)),
  });
}

function listenerTls(alpn: readonly string[], mesh: Mesh, validationContext: JsonObject): JsonObject {
  return transportSocket(DOWNSTREAM, {
    require_client_certificate: true,
    disable_stateless_session_resumption: true,
    disable_stateful_session_resumption: true,
    common_tls_context: commonTls(alpn, mesh, validationContext),
  });
}

/** The own certificate comes from whoever issues it; whom to believe comes from the agent in any case. */
function commonTls(alpn: readonly string[], { identity }: Mesh, validationContext: JsonObject): JsonObject {
  return {
    ...(alpn.length === 0 ? {} : { alpn_protocols: alpn }),
    tls_params: ONLY_TLS_1_3,
    tls_certificate_sds_secret_configs: [
      secret(OWN_CERTIFICATE, identity === undefined ? ENVOY_CLUSTER : IDENTITY_CLUSTER),
    ],
    combined_validation_context: validationContext,
  };
}

/** The static part of a mesh listener's validation: nobody is trusted but by the agent's word, and of its word only these trust domains. */
export function staticValidation({ mesh }: Pick<PolicySet, "mesh">): JsonObject {
  return { trusted_ca: { inline_string: THROW_AWAY_ANCHOR }, match_typed_subject_alt_names: peerMatchers(mesh) };
}

/** Matchers for the identities of the mesh's own and its federated trust domains. */
export function peerMatchers(mesh: PolicySet["mesh"]): readonly JsonObject[] {
  return [mesh.trustDomain, ...mesh.federated].map((domain) => uriMatcher({ prefix: `spiffe://${domain}/` }));
}

/**
 * SECURITY: the static part must stand even where the agent sends an empty context, which Envoy would read as "admit everybody":
 * an anchor whose key is destroyed, and matchers typed as URI SANs.
 */
function validation(matchers: readonly JsonObject[], secretName: string): JsonObject {
  return {
    default_validation_context: {
      trusted_ca: { inline_string: THROW_AWAY_ANCHOR },
      match_typed_subject_alt_names: matchers,
    },
    validation_context_sds_secret_config: secret(secretName),
  };
}

function uriMatcher(matcher: JsonObject): JsonObject {
  return { san_type: "URI", matcher };
}

/** Every secret has the same source, so that Envoy shares one stream a name. Without a secret the listener stays closed for ever. */
function secret(name: string, source = ENVOY_CLUSTER): JsonObject {
  const retry = { retry_back_off: { base_interval: "0.05s", max_interval: "0.5s" } };
  return {
    name,
    sds_config: {
      resource_api_version: "V3",
      initial_fetch_timeout: "0s",
      api_config_source: {
        api_type: "GRPC",
        transport_api_version: "V3",
        grpc_services: [{ envoy_grpc: { cluster_name: source, retry_policy: retry } }],
      },
    },
  };
}

function transportSocket(type: string, config: JsonObject): JsonObject {
  return { name: TLS, typed_config: typed(type, config) };
}
