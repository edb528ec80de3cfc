import type { JsonWebKey, KeyObject } from "node:crypto";
import type { TrustBundle } from "../../spiffe/index.ts";

/** Where the discovery document lies under an issuer (OpenID Connect Discovery 1.0, section 4). */
export const DISCOVERY_PATH = "/.well-known/openid-configuration";
const KEYS_PATH = "/keys";

/** URL of the key set under an issuer. */
export function keysUrl(issuer: string): string {
  return `${issuer.replace(/\/$/, "")}${KEYS_PATH}`;
}

/** The discovery document of an issuer whose tokens are JWT-SVIDs, as JSON text. */
export function discoveryDocument(issuer: string): string {
  return JSON.stringify({
    issuer,
    jwks_uri: keysUrl(issuer),
    response_types_supported: ["id_token"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["ES256"],
    claims_supported: ["iss", "sub", "aud", "exp", "iat", "jti"],
  });
}

/**
 * The JWT keys of a bundle as a JWK Set for OIDC verifiers, as JSON text. Other than in the SPIFFE bundle each key says
 * `use: sig` and its `alg`: verifiers outside of SPIFFE take no other.
 */
export function keySet({ jwtAuthorities }: TrustBundle): string {
  const keys = [...jwtAuthorities].flatMap(([kid, key]) => {
    const alg = algorithmOf(key);
    return alg === undefined ? [] : [{ ...publicMembers(key), kid, use: "sig", alg }];
  });
  return JSON.stringify({ keys });
}

function publicMembers(key: KeyObject): JsonWebKey {
  const { kty, crv, x, y, n, e } = key.export({ format: "jwk" });
  return Object.fromEntries(Object.entries({ kty, crv, x, y, n, e }).filter(([, value]) => value !== undefined));
}

const CURVES: ReadonlyMap<string | undefined, string> = new Map([
  ["prime256v1", "ES256"],
  ["secp384r1", "ES384"],
  ["secp521r1", "ES512"],
]);

/** The one algorithm of a key (RFC 7518, section 3.1). */
function algorithmOf(key: KeyObject): string | undefined {
  if (key.asymmetricKeyType === "rsa") return "RS256";
  return CURVES.get(key.asymmetricKeyDetails?.namedCurve);
}
