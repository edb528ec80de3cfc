import { createJwtAuthority } from "../../../spiffe/testing/index.ts";
import { extension, get, type Hole, type Outcome, reached } from "./hole.ts";

const ISSUER = "https://id.shop.example";
const NAMESPACE = "envoy.filters.http.jwt_authn";
const authority = createJwtAuthority({ trustDomain: "shop.example" });
const forger = createJwtAuthority({ trustDomain: "shop.example" });
const claims = { iss: ISSUER, sub: "me", aud: ["orders"] };
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const keys = JSON.stringify({
  keys: [{ ...authority.publicKey.export({ format: "jwk" }), kid: authority.keyId, alg: "ES256", use: "sig" }],
});
const SOURCE = { from_headers: [{ name: "authorization", value_prefix: "Bearer " }] };

/** `jwt_authn` with one provider. */
const verification = (provider: object, requires: object = { provider_name: "idp" }) =>
  extension(NAMESPACE, "filters.http.jwt_authn.v3.JwtAuthentication", {
    providers: {
      idp: { issuer: ISSUER, local_jwks: { inline_string: keys }, payload_in_metadata: "idp", ...provider },
    },
    rules: [{ match: { prefix: "/" }, requires }],
  });
const TELLING = { metadata_context_namespaces: [NAMESPACE] };

const toldOf = ({ check }: Outcome): boolean =>
  check?.attributes?.metadataContext?.filterMetadata.has(NAMESPACE) === true;

/** Whose tokens count. */
export const TOKEN_HOLES: readonly Hole[] = [
  {
    id: "token-in-query",
    filters: (check, router) => [verification({ audiences: ["orders"] }), check, router],
    attack: get(`/public/?access_token=${authority.sign(claims)}`),
    shows: reached,
  },
  {
    id: "token-audience-unchecked",
    left: true,
    filters: (check, router) => [verification(SOURCE), check, router],
    attack: get("/public/", bearer(authority.sign({ ...claims, aud: ["billing"] }))),
    shows: reached,
  },
  {
    id: "tokens-after-authorization",
    left: true,
    authz: TELLING,
    filters: (check, router) => [check, verification({ ...SOURCE, audiences: ["orders"] }), router],
    attack: get("/public/", bearer(authority.sign(claims))),
    shows: (outcome) => reached(outcome) && !toldOf(outcome),
  },
  {
    id: "token-failures-hidden",
    authz: TELLING,
    filters: (check, router) => [
      verification(
        { ...SOURCE, audiences: ["orders"] },
        { requires_any: { requirements: [{ provider_name: "idp" }, { allow_missing_or_failed: {} }] } },
      ),
      check,
      router,
    ],
    attack: get("/public/", bearer(forger.sign(claims))),
    shows: (outcome) => reached(outcome) && !toldOf(outcome),
  },
];
