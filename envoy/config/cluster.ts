import type { Mesh } from "../../policies/index.ts";
import { type Endpoint, upstreamAddress } from "./endpoint.ts";
import { type JsonObject, typed } from "./json.ts";

/** Names of the clusters that lead to the agent's sockets. */
export const AUTHZ_CLUSTER = "cellwall_authz";
export const ENVOY_CLUSTER = "cellwall_envoy";
/** Name of the cluster that leads to another authority's secrets (SDS). */
export const IDENTITY_CLUSTER = "cellwall_identity";

const HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions";

/** One cluster with one endpoint. */
export function cluster(
  name: string,
  endpoint: Endpoint,
  { connectTimeout = "1s", more = {} }: { readonly connectTimeout?: string; readonly more?: JsonObject } = {},
): JsonObject {
  return {
    name,
    ...discovery(endpoint),
    connect_timeout: connectTimeout,
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: upstreamAddress(endpoint) } }] }],
    },
    ...more,
  };
}

function discovery(endpoint: Endpoint): JsonObject {
  if (endpoint.kind !== "name") return { type: "STATIC" };
  return { type: "STRICT_DNS", dns_lookup_family: "V4_PREFERRED" };
}

/** Protocol options of a cluster: `protocol` is one of Envoy's `explicit_http_config`. */
export function httpOptions(protocol: JsonObject, common: JsonObject = {}): JsonObject {
  return {
    typed_extension_protocol_options: {
      [HTTP_OPTIONS]: typed(HTTP_OPTIONS, {
        common_http_protocol_options: common,
        explicit_http_config: protocol,
      }),
    },
  };
}

/** Connections that are found dead although nothing was said: a peer that vanished, a process that hangs. */
export const KEEPALIVE: JsonObject = { interval: "30s", timeout: "5s" };

/** One of the agent's sockets, gRPC over HTTP/2. */
export function agentCluster(name: string, path: string): JsonObject {
  const protocol = { http2_protocol_options: { connection_keepalive: KEEPALIVE } };
  const unbounded = { max_pending_requests: 16_384, max_requests: 16_384 };
  return cluster(
    name,
    { kind: "unix", path },
    {
      connectTimeout: "0.25s",
      more: {
        lb_policy: "LEAST_REQUEST",
        // A burst of requests must not be refused on its way to the agent; the agent sheds by itself.
        circuit_breakers: { thresholds: [unbounded] },
        ...httpOptions(protocol),
      },
    },
  );
}

/** The cluster of another authority's secrets, where one issues the certificates and the mesh says where they are; else none. */
export function identityClusters({ identity }: Pick<Mesh, "identity">): readonly JsonObject[] {
  const sds = identity?.certificates?.sds;
  return sds === undefined ? [] : [agentCluster(IDENTITY_CLUSTER, sds.slice("unix:".length))];
}
