import {
  createLocalJWKSet,
  createRemoteJWKSet,
  customFetch,
  decodeJwt,
  type JWTPayload,
  type JWTVerifyGetKey,
  jwtVerify,
} from "jose";
import { z } from "zod";
import type { OidcProof } from "../../policies/index.ts";
import { AuthorityError } from "../authority-error.ts";

/** The web as the authority sees it: the global `fetch` fits. */
export type Fetch = (url: string, options: RequestInit) => Promise<Response>;

/** Who a token is of, and which proofs it meets. */
export interface OidcIdentity {
  /** `oidc:<issuer>#<subject>`. */
  readonly actor: string;
  readonly proofs: readonly OidcProof[];
}

/** No symmetric algorithm and not `none`: a key that verifies must not be able to sign. */
const ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];
const CLOCK_TOLERANCE_SECONDS = 5;
const TIMEOUT_MS = 5_000;
const MAX_TOKEN = 16 * 1024;

/** Verifies OIDC tokens against proofs; keeps issuers' keys for as long as `jose` thinks right. */
export class OidcVerifier {
  readonly #fetch: Fetch;
  readonly #keys = new Map<string, Promise<JWTVerifyGetKey>>();

  constructor(fetch: Fetch) {
    this.#fetch = fetch;
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
      const { payload } = await jwtVerify(token, await this.#keysOf(proof), {
        issuer: proof.issuer,
        audience: proof.audience,
        algorithms: ALGORITHMS,
        requiredClaims: ["exp", "sub"],
        clockTolerance: CLOCK_TOLERANCE_SECONDS,
        currentDate,
      });
      return payload;
    } catch {
      return undefined;
    }
  }

  #keysOf(proof: OidcProof): Promise<JWTVerifyGetKey> {
    const key = JSON.stringify([proof.issuer, proof.jwks]);
    const known = this.#keys.get(key);
    if (known !== undefined) return known;
    const made = this.#makeKeys(proof);
    this.#keys.set(key, made);
    // What failed is tried again with the next token.
    made.catch(() => this.#keys.delete(key));
    return made;
  }

  async #makeKeys({ issuer, jwks }: OidcProof): Promise<JWTVerifyGetKey> {
    if (jwks !== undefined && "inline" in jwks) return createLocalJWKSet(JSON.parse(jwks.inline));
    const url = jwks === undefined ? await this.#discover(issuer) : jwks.url;
    return createRemoteJWKSet(new URL(url), { timeoutDuration: TIMEOUT_MS, [customFetch]: this.#fetch });
  }

  /** OpenID Connect Discovery 1.0, section 4: the document must name the same issuer. */
  async #discover(issuer: string): Promise<string> {
    const url = `${issuer.replace(/\/$/, "")}/.well-known/openid-configuration`;
    const answer = await this.#fetch(url, { redirect: "error", signal: AbortSignal.timeout(TIMEOUT_MS) });
    const read = z
      .object({ issuer: z.literal(issuer), jwks_uri: z.url({ protocol: /^https$/ }) })
      .parse(await answer.json());
    return read.jwks_uri;
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
