import type { KeyObject } from "node:crypto";
import { excerpt } from "./excerpt.ts";
import { jose } from "./jose.ts";
import { type JwtParts, type JwtSvid, readJwt } from "./jwt-svid.ts";
import { type JwtErrorCode, type Refusal, refuse } from "./spiffe-error.ts";
import type { TrustBundle } from "./trust-bundle.ts";
import type { TrustDomain } from "./trust-domain.ts";

/** What a receiver holds a token against. */
export interface VerifyJwtSvidOptions {
  /** The receiver's own name, or names: one of them must be in `aud`. */
  readonly audience: string | readonly string[];
  readonly at: Date;
  /** The bundle of a trust domain; undefined where it is not trusted. */
  readonly bundleOf: (trustDomain: TrustDomain) => TrustBundle | undefined;
}

/** A verified identity with its claims, or why there is none. */
export type VerifyJwtSvidResult = { readonly ok: true; readonly svid: JwtSvid } | Refusal<JwtErrorCode>;

/** How far `iat` and `nbf` may lie ahead, for clocks that differ, in milliseconds. `exp` has no such room. */
const AHEAD_MS = 60_000;
const MIN_RSA_BITS = 2048;
const CURVE_ALGORITHMS: ReadonlyMap<string | undefined, string> = new Map([
  ["prime256v1", "ES256"],
  ["secp384r1", "ES384"],
  ["secp521r1", "ES512"],
]);

/**
 * Verifies a JWT-SVID (JWT-SVID, sections 4 and 5): header and claims have the profile, it is for `audience` and valid
 * at `at`, and a JWT authority of the trust domain in `sub`, and of no other, signed it. Never rejects; refuses with the
 * codes of `JwtErrorCode`.
 */
export async function verifyJwtSvid(token: string, options: VerifyJwtSvidOptions): Promise<VerifyJwtSvidResult> {
  const parts = readJwt(token);
  if (!parts.ok) return parts;
  const refusal = refuseClaims(parts, options);
  if (refusal !== undefined) return refusal;
  const authority = authorityOf(parts, options.bundleOf(parts.svid.id.trustDomain));
  if (!authority.ok) return authority;
  return (await isSigned(token, authority.key, parts.algorithm))
    ? { ok: true, svid: parts.svid }
    : refuse("ERR_SPIFFE_JWT_SIGNATURE", "the signature is not that of the authority that the token names");
}

function refuseClaims(
  { svid, notBefore }: JwtParts,
  { at, audience }: VerifyJwtSvidOptions,
): Refusal<JwtErrorCode> | undefined {
  if (svid.expiresAt <= at) return refuse("ERR_SPIFFE_JWT_EXPIRED", `expired at ${svid.expiresAt.toISOString()}`);
  const begins = Math.max(svid.issuedAt?.getTime() ?? 0, notBefore?.getTime() ?? 0);
  if (begins > at.getTime() + AHEAD_MS) {
    return refuse("ERR_SPIFFE_JWT_NOT_YET_VALID", `not valid before ${new Date(begins).toISOString()}`);
  }
  const names = typeof audience === "string" ? [audience] : audience;
  if (!names.some((name) => svid.audience.includes(name))) {
    return refuse("ERR_SPIFFE_JWT_AUDIENCE", `meant for another audience: ${excerpt(svid.audience.join(", "))}`);
  }
  return undefined;
}

function authorityOf(
  { algorithm, keyId, svid }: JwtParts,
  bundle: TrustBundle | undefined,
): { readonly ok: true; readonly key: KeyObject } | Refusal<JwtErrorCode> {
  const { trustDomain } = svid.id;
  // SECURITY: the keys of one trust domain vouch for identities of that one only (J-6).
  if (bundle === undefined || bundle.trustDomain !== trustDomain) {
    return refuse("ERR_SPIFFE_JWT_TRUST_DOMAIN", `there is no trust bundle of \`${trustDomain}\``);
  }
  const key = bundle.jwtAuthorities.get(keyId);
  if (key === undefined) {
    const message = `\`${trustDomain}\` has no JWT authority of key id ${excerpt(keyId)}`;
    return refuse("ERR_SPIFFE_JWT_UNKNOWN_AUTHORITY", message);
  }
  if (isKeyFor(algorithm, key)) return { ok: true, key };
  return refuse("ERR_SPIFFE_JWT_KEY", `the authority's key is none for ${algorithm}, or too short`);
}

function isKeyFor(algorithm: string, key: KeyObject): boolean {
  const { namedCurve, modulusLength = 0 } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === "ec") return CURVE_ALGORITHMS.get(namedCurve) === algorithm;
  return key.asymmetricKeyType === "rsa" && modulusLength >= MIN_RSA_BITS && /^[RP]S/.test(algorithm);
}

async function isSigned(token: string, key: KeyObject, algorithm: string): Promise<boolean> {
  try {
    const { compactVerify } = await jose();
    await compactVerify(token, key, { algorithms: [algorithm] });
    return true;
  } catch {
    return false;
  }
}
