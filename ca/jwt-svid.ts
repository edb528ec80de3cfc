import { sign } from "node:crypto";
import type { SpiffeId } from "../spiffe/index.ts";
import type { TokenKey } from "./authorities.ts";

/** What a JWT-SVID says. */
export interface TokenClaims {
  readonly id: SpiffeId;
  readonly audience: readonly string[];
  readonly issuedAt: Date;
  readonly expiresAt: Date;
  /** Names the token in the ledger. */
  readonly tokenId: string;
  /** URL that OpenID Connect verifiers look keys up at. */
  readonly issuer?: string | undefined;
}

/**
 * Signs a JWT-SVID in compact form (JWT-SVID, sections 2 and 3): ES256, and no header parameter but `alg`, `kid` and `typ`
 * (J-3, J-4).
 */
export function signToken(key: TokenKey, claims: TokenClaims): string {
  const header = { alg: "ES256", kid: key.kid, typ: "JWT" };
  const payload = {
    ...(claims.issuer === undefined ? {} : { iss: claims.issuer }),
    sub: claims.id.toString(),
    aud: claims.audience,
    iat: seconds(claims.issuedAt),
    exp: seconds(claims.expiresAt),
    jti: claims.tokenId,
  };
  const signed = `${encode(header)}.${encode(payload)}`;
  const signature = sign("sha256", Buffer.from(signed, "ascii"), { key: key.privateKey, dsaEncoding: "ieee-p1363" });
  return `${signed}.${signature.toString("base64url")}`;
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value), "utf8").toString("base64url");
}

function seconds(at: Date): number {
  return Math.floor(at.getTime() / 1000);
}
