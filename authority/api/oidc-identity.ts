import { decodeJwt, type JWTPayload, jwtVerify } from "jose";
import type { OidcProof } from "../../policies/index.ts";
import { AuthorityError } from "../authority-error.ts";
import type { IssuerKeys } from "../issuer-keys.ts";

/** Who a token is of, and which proofs it meets. */
export interface OidcIdentity {
  /** `oidc:<issuer>#<subject>`. */
  readonly actor: string;
  readonly proofs: readonly OidcProof[];
}

/** No symmetric algorithm and not `none`: a key that verifies must not be able to sign. */
export const TOKEN_ALGORITHMS = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
  "EdDSA",
];
export const CLOCK_TOLERANCE_SECONDS = 5;
export const MAX_TOKEN = 16 * 1024;

/** Verifies OIDC tokens against proofs. */
export class OidcVerifier {
  readonly #keys: IssuerKeys;

  constructor(keys: IssuerKeys) {
    this.#keys = keys;
  }

  /**
   * The identity that a token proves by at least one proof; throws `ERR_AUTHORITY_UNAUTHENTICATED`.
   *
   * SECURITY: only issuers that a proof names are ever asked for keys; issuer, audience, expiry and every claim must be
   * exactly as the proof says.
   */
  async verify(token: string, proofs: readonly OidcProof[], at: Date): Promise<OidcIdentity> {
    const issuer = issuerOf(token);
    const candidates = proofs.filter((proof) => proof.issuer === issuer);
    const met: OidcProof[] = [];
    let subject: string | undefined;
    for (const proof of candidates) {
      const payload = await this.#payload(token, proof, at);
      if (payload === undefined || !claimsHold(payload, proof)) continue;
      met.push(proof);
      subject ??= payload.sub;
    }
    if (met.length === 0 || subject === undefined) throw unauthenticated();
    return { actor: `oidc:${issuer}#${subject}`, proofs: met };
  }

  async #payload(token: string, proof: OidcProof, currentDate: Date): Promise<JWTPayload | undefined> {
    try {
      const { payload } = await jwtVerify(token, await this.#keys.of(proof.issuer, proof.jwks), {
        issuer: proof.issuer,
        audience: proof.audience,
        algorithms: TOKEN_ALGORITHMS,
        requiredClaims: ["exp", "sub"],
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        currentDate,
      });
      return payload;
    } catch {
      return undefined;
    }
  }
}

function issuerOf(token: string): string {
  if (token.length > MAX_TOKEN) throw unauthenticated();
  try {
    const { iss } = decodeJwt(token);
    if (iss !== undefined) return iss;
  } catch {
    // Not a token at all.
  }
  throw unauthenticated();
}

function claimsHold(payload: JWTPayload, { claims }: OidcProof): boolean {
  return [...claims].every(([name, value]) => Object.hasOwn(payload, name) && payload[name] === value);
}

function unauthenticated(): AuthorityError {
  return new AuthorityError("ERR_AUTHORITY_UNAUTHENTICATED", "the token is no publisher's of this mesh", {
    hint: "issuer, audience and claims must be as a Team's `publishers` say, and the token must not have expired",
  });
}
