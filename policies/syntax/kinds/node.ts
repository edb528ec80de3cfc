import { absolutePath, httpsUrl } from "../addresses.ts";
import { FAILED, list, mapOf, type ObjectOf, object, optional, type Reader, required, text } from "../readers.ts";
import { nonEmptyText } from "../values.ts";

/** `joinToken: {}`: a map without keys, the one empty map of the language, because there is nothing to say. */
const nothingToSay: Reader<true> = {
  schema: { type: "object", maxProperties: 0 },
  expects: "`{}`",
  read(node, reading) {
    if (node.kind === "map" && node.entries.length === 0) return true;
    return object({}, { expects: "`{}`" }).read(node, reading) === FAILED ? FAILED : true;
  },
};

/** Claims that a token must carry with exactly these values. */
export const exactClaims = mapOf(text({ expects: "a claim's name", schema: { minLength: 1 } }), nonEmptyText);

const issuerKeys = object(
  {
    inline: optional(nonEmptyText, "the JWK Set itself, as JSON text"),
    url: optional(httpsUrl, "where the JWK Set is"),
    file: optional(absolutePath, "a file on the authority's host that holds it"),
  },
  { expects: "the issuer's keys", exactlyOne: ["inline", "url", "file"] },
);

/** An OIDC token of an issuer, with claims. */
export const oidc = object(
  {
    issuer: required(httpsUrl, "the token's exact `iss`"),
    audience: required(nonEmptyText, "the token's `aud`"),
    claims: required(exactClaims, "claims it must carry"),
    jwks: optional(issuerKeys, "the issuer's keys; found by OpenID Connect discovery if left out"),
  },
  { expects: "an OIDC token" },
);

/** An OIDC token as written. */
export type OidcSyntax = Exclude<ReturnType<typeof oidc.read>, typeof FAILED>;

/** A Kubernetes service account. */
export const kubernetes = object(
  {
    namespace: required(nonEmptyText, "the service account's namespace"),
    serviceAccount: required(nonEmptyText, "the service account's name"),
  },
  { expects: "a Kubernetes service account" },
);

const kubernetesToken = object(
  {
    issuer: required(httpsUrl, "the cluster's exact `iss`"),
    audience: required(nonEmptyText, "the token's `aud`, as the projected volume asks for it"),
    namespace: required(nonEmptyText, "the service account's namespace"),
    serviceAccount: required(nonEmptyText, "the service account's name"),
    node: optional(nonEmptyText, "the Kubernetes node that the token's pod must run on"),
    jwks: optional(issuerKeys, "the cluster's keys; found by OpenID Connect discovery if left out"),
  },
  { expects: "a Kubernetes service account's token" },
);

const attestShape = {
  joinToken: optional(nothingToSay, "a single-use join token: `joinToken: {}`"),
  oidc: optional(oidc, "an OIDC token"),
  kubernetes: optional(kubernetesToken, "a Kubernetes service account token"),
};

const nodeShape = {
  attest: required(
    list(
      object(attestShape, {
        expects: "a way to enrol",
        exactlyOne: ["joinToken", "oidc", "kubernetes"],
        hint: "write `- joinToken: {}`",
      }),
    ),
    "how the host proves what it is when it enrols",
  ),
};

/** A Node's `spec` as written. */
export type NodeSyntax = ObjectOf<typeof nodeShape>;

/** Reads a Node's `spec`. */
export const nodeSpec = object(nodeShape, { expects: "the node's settings" });
