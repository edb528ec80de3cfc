import type { JwtProvider, PolicySet } from "../../policies/index.ts";
import { EnvoyError } from "../envoy-error.ts";
import { jwtFailedKey, jwtPayloadKey } from "../wire/jwt-metadata.ts";
import { cluster } from "./cluster.ts";
import { hostEndpoint, isLocal } from "./endpoint.ts";
import { extension, type JsonObject, typed } from "./json.ts";

const FILTER = "envoy.filters.http.jwt_authn";
const TYPE = "envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication";

/**
 * The filters that verify tokens, one a provider: one filter for several providers would not say that there is no token at all.
 * They refuse nothing by themselves: what each found goes to `Check` as metadata under keys of its own, so that a missing token
 * and one that failed are known from no filter at all.
 */
export function tokenFilters(set: PolicySet): readonly JsonObject[] {
  return [...set.mesh.jwtProviders].map(([name, provider]) =>
    extension(FILTER, TYPE, {
      providers: { [name]: providerConfig(name, provider) },
      rules: [{ match: { prefix: "/" }, requires: verifiedOrNot(name) }],
    }),
  );
}

function verifiedOrNot(provider: string): JsonObject {
  return { requires_any: { requirements: [{ provider_name: provider }, { allow_missing_or_failed: {} }] } };
}

function providerConfig(name: string, provider: JwtProvider): JsonObject {
  return {
    issuer: provider.issuer,
    ...(provider.audiences.length === 0 ? {} : { audiences: provider.audiences }),
    // Named, so that tokens in the query (`?access_token=`), which end in logs, are not read.
    from_headers: [{ name: "authorization", value_prefix: "Bearer " }],
    forward: true,
    require_expiration: true,
    payload_in_metadata: jwtPayloadKey(name),
    failed_status_in_metadata: jwtFailedKey(name),
    ...keySource(name, provider),
  };
}

function keySource(name: string, { jwks }: JwtProvider): JsonObject {
  if ("inline" in jwks) return { local_jwks: { inline_string: jwks.inline } };
  if ("file" in jwks) return { local_jwks: { filename: jwks.file } };
  return {
    remote_jwks: {
      http_uri: { uri: jwks.url, cluster: keysCluster(name), timeout: "5s" },
      cache_duration: "300s",
      // Fetched beforehand, but a server that is down keeps no listener closed: its tokens fail until it answers.
      async_fetch: { fast_listener: true },
    },
  };
}

/** The clusters that lead to the servers of token keys. Throws `ERR_ENVOY_CONFIG`. */
export function tokenClusters(set: PolicySet, systemRoots: string): readonly JsonObject[] {
  return [...set.mesh.jwtProviders].flatMap(([name, { jwks }]) => {
    if (!("url" in jwks)) return [];
    const url = keysUrl(name, jwks.url);
    const secure = url.protocol === "https:";
    const endpoint = hostEndpoint(hostOf(url), Number(url.port) || (secure ? 443 : 80));
    if (!secure && !isLocal(endpoint)) throw badUrl(name, jwks.url);
    const more = secure ? { transport_socket: webTls(hostOf(url), systemRoots) } : {};
    return [cluster(keysCluster(name), endpoint, { connectTimeout: "5s", more })];
  });
}

function keysCluster(provider: string): string {
  return `keys_${provider}`;
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "");
}

function keysUrl(name: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === "https:" || url?.protocol === "http:") return url;
  throw badUrl(name, text);
}

function badUrl(name: string, text: string): EnvoyError {
  return new EnvoyError(
    "ERR_ENVOY_CONFIG",
    `the keys of the token provider \`${name}\` cannot be fetched from \`${text}\``,
    {
      hint: "use an https URL",
    },
  );
}

function webTls(host: string, systemRoots: string): JsonObject {
  return {
    name: "envoy.transport_sockets.tls",
    typed_config: typed("envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext", {
      sni: host,
      common_tls_context: {
        validation_context: {
          trusted_ca: { filename: systemRoots },
          match_typed_subject_alt_names: [{ san_type: "DNS", matcher: { exact: host } }],
        },
      },
    }),
  };
}
