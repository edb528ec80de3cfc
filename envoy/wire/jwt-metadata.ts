import type { TokenState } from "../../policies/index.ts";
import type { Metadata } from "../gen/envoy/config/core/v3/base.ts";

/** The dynamic metadata namespace of Envoy's `jwt_authn` filter. */
export const JWT_NAMESPACE = "envoy.filters.http.jwt_authn";

const PAYLOAD = "payload/";
const FAILED = "failed/";

/** Value of a provider's `payload_in_metadata`. One key a provider, so that no provider vouches for another's token. */
export function jwtPayloadKey(provider: string): string {
  return PAYLOAD + provider;
}

/** Value of a provider's `failed_status_in_metadata`. */
export function jwtFailedKey(provider: string): string {
  return FAILED + provider;
}

/**
 * What `jwt_authn` found, by provider. A payload is the only proof; a failure (a missing token included) is `absent`;
 * a provider with neither did not run, and one whose keys could not be had could not judge: neither is in the map.
 */
export function claimsOf(metadata: Metadata | undefined): ReadonlyMap<string, TokenState> | undefined {
  const fields = metadata?.filterMetadata.get(JWT_NAMESPACE);
  if (fields === undefined) return undefined;
  const claims = new Map<string, TokenState>();
  for (const [key, value] of Object.entries(fields)) {
    if (key.startsWith(FAILED) && !claims.has(key.slice(FAILED.length))) {
      if (!isForWantOfKeys(value)) claims.set(key.slice(FAILED.length), { kind: "absent" });
    } else if (key.startsWith(PAYLOAD) && isRecord(value)) {
      claims.set(key.slice(PAYLOAD.length), { kind: "verified", payload: ownCopy(value) });
    }
  }
  return claims;
}

const FETCH_FAILED = 40;
const NO_KEYS = /^(Jwks remote fetch is failed|Jwks is |Jwks does not have |\[keys\] in Jwks |Jwks doesn't have any )/;

// SECURITY: a token that nobody could verify is not the absence of one: a deny by its claims must not be missed for want of keys.
function isForWantOfKeys(failed: unknown): boolean {
  if (!isRecord(failed)) return false;
  const { code, message } = failed;
  return code === FETCH_FAILED || (typeof message === "string" && NO_KEYS.test(message));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

// SECURITY: a decoded struct is a plain object, on which a claim named `__proto__` sets the prototype. Claims are the
// object's own keys only, in an object without prototype.
function ownCopy(record: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const copy: Record<string, unknown> = Object.create(null);
  for (const key of Object.keys(record)) copy[key] = ownValue(record[key]);
  return copy;
}

function ownValue(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ownValue);
  return isRecord(value) ? ownCopy(value) : value;
}
