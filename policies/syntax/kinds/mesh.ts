import { absolutePath, httpsUrl, listenAddress } from "../addresses.ts";
import { choice, list, mapOf, type ObjectOf, object, optional, required, text } from "../readers.ts";
import { labelKeyItem, name, nonEmptyText, spiffeId, trustDomain } from "../values.ts";
import { identity } from "./identity.ts";
import { oidc } from "./node.ts";

const jwksShape = {
  inline: optional(nonEmptyText, "the JWK Set itself, as JSON text"),
  file: optional(absolutePath, "a file beside the sidecar that holds it"),
  url: optional(httpsUrl, "where the sidecar fetches it"),
};

const providerShape = {
  issuer: required(nonEmptyText, "the exact `iss` of its tokens"),
  audiences: required(list(nonEmptyText), "one of these must be in a token's `aud`"),
  jwks: required(
    object(jwksShape, { expects: "the issuer's keys", exactlyOne: ["inline", "file", "url"] }),
    "the issuer's keys",
  ),
};

/** A JWT provider as written. */
export type JwtProviderSyntax = ObjectOf<typeof providerShape>;

const approvalsShape = {
  changes: required(
    choice("broader", "all"),
    "which publishes a second person must approve: those that allow more than before, or all",
  ),
  approvers: optional(
    list(object({ oidc: required(oidc, "an OIDC token") }, { expects: "who may approve" })),
    "who may approve, beside whoever holds the local admin token",
  ),
};

const endpointShape = {
  url: required(httpsUrl, "where the foreign trust domain serves its bundle"),
  profile: required(choice("https_web", "https_spiffe"), "how its server proves itself"),
  spiffeId: optional(spiffeId, "the server's SPIFFE ID; with `https_spiffe` only, and required there"),
};

const federationShape = {
  trustDomain: required(trustDomain, "the federated trust domain"),
  endpoint: optional(
    object(endpointShape, { expects: "a SPIFFE bundle endpoint" }),
    "where its bundle is fetched, as often as the bundle says",
  ),
  bundle: optional(
    object(
      {
        inline: optional(nonEmptyText, "the SPIFFE bundle document itself, as JSON text"),
        file: optional(absolutePath, "a file on the authority's host that holds it"),
      },
      { expects: "a SPIFFE bundle document", exactlyOne: ["inline", "file"] },
    ),
    "the bundle to begin with; without an endpoint, the only one",
  ),
};

/** A federated trust domain as written. */
export type FederationSyntax = ObjectOf<typeof federationShape>;

const bundleEndpointShape = {
  listen: required(listenAddress, "IP address and port"),
  profile: required(
    choice("https_spiffe", "https_web"),
    "`https_spiffe`: with the authority's X.509-SVID; `https_web`: with a certificate that browsers know",
  ),
  certificate: optional(absolutePath, "folder with `tls.crt` and `tls.key`, for `https_web`"),
};

/** The own bundle endpoint as written. */
export type BundleEndpointSyntax = ObjectOf<typeof bundleEndpointShape>;

const oidcDiscoveryShape = {
  issuer: required(
    httpsUrl,
    "the `iss` of JWT-SVIDs, under which verifiers look for `/.well-known/openid-configuration`",
  ),
  listen: optional(listenAddress, "IP address and port to serve the documents on"),
  certificate: optional(absolutePath, "folder with `tls.crt` and `tls.key` that are good for the issuer's host name"),
};

/** OpenID Connect discovery as written. */
export type OidcDiscoverySyntax = ObjectOf<typeof oidcDiscoveryShape>;

const meshShape = {
  trustDomain: required(trustDomain, "the own trust domain, such as `shop.example`"),
  defaultMode: required(choice("enforce", "monitor"), "the mode of workloads that say none: `enforce` or `monitor`"),
  isolate: optional(list(labelKeyItem), "label keys whose values caller and callee must share"),
  unregistered: optional(choice("deny"), "what identities of the own trust domain get that no Workload names: `deny`"),
  identity: optional(identity, "who issues the workloads' certificates; Cellwall's own authority if left out"),
  federation: optional(
    list(
      object(federationShape, {
        expects: "a federated trust domain",
        hint: "write `- trustDomain: partner.example`",
      }),
    ),
    "other trust domains whose identities may be named",
  ),
  bundleEndpoint: optional(
    object(bundleEndpointShape, { expects: "the own bundle endpoint" }),
    "where the authority serves the own trust bundle to other trust domains",
  ),
  oidcDiscovery: optional(
    object(oidcDiscoveryShape, { expects: "OpenID Connect discovery" }),
    "makes JWT-SVIDs tokens that OIDC verifiers accept",
  ),
  jwtProviders: optional(
    mapOf(
      text({ expects: "a provider's name", schema: name.schema }),
      object(providerShape, { expects: "a token issuer" }),
    ),
    "token issuers by name",
  ),
  approvals: optional(
    object(approvalsShape, { expects: "what must be approved" }),
    "publishes that take effect only when somebody else than the publisher has approved them",
  ),
};

/** A Mesh's `spec` as written. */
export type MeshSyntax = ObjectOf<typeof meshShape>;

/** Reads a Mesh's `spec`. */
export const meshSpec = object(meshShape, { expects: "the mesh's settings" });
