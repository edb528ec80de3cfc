import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import type { TrustBundle } from "../trust-bundle.ts";
import { parseTrustDomain } from "../trust-domain.ts";

/** Claims or header parameters; a value of `undefined` takes a default away. */
export type JwtMembers = Readonly<Record<string, unknown>>;

/** A signer of JWT-SVIDs that signs whatever it is told to. */
export interface TestJwtAuthority {
  readonly keyId: string;
  readonly publicKey: KeyObject;
  /** A token: sound for these claims but for what the members change. */
  sign(claims: JwtMembers, header?: JwtMembers): string;
  /** The trust bundle with this key alone. */
  bundle(): TrustBundle;
}

/** The algorithms of the profile. */
export const JWT_ALGORITHMS = [
  ...(["RS256", "RS384", "RS512"] as const),
  ...(["ES256", "ES384", "ES512"] as const),
  ...(["PS256", "PS384", "PS512"] as const),
] as const;
export type JwtAlgorithm = (typeof JWT_ALGORITHMS)[number];

const CURVES = { ES256: "P-256", ES384: "P-384", ES512: "P-521" } as const;

/** Makes a signer of JWT-SVIDs for tests: ES256, tokens valid for five minutes from `now`. */
export function createJwtAuthority(options: {
  readonly trustDomain: string;
  readonly algorithm?: JwtAlgorithm;
  readonly keyId?: string;
  readonly now?: Date;
  readonly rsaBits?: number;
}): TestJwtAuthority {
  const { algorithm = "ES256", keyId = "key-1", now = new Date(), rsaBits = 2048 } = options;
  const trustDomain = parseTrustDomain(options.trustDomain);
  const privateKey = newKey(algorithm, rsaBits);
  const publicKey = createPublicKey(privateKey);
  const seconds = Math.floor(now.getTime() / 1000);
  return {
    keyId,
    publicKey,
    sign: (claims, header = {}) => {
      const head = encode({ alg: algorithm, kid: keyId, typ: "JWT", ...header });
      const body = encode({ iat: seconds, exp: seconds + 300, ...claims });
      return `${head}.${body}.${signature(algorithm, privateKey, `${head}.${body}`)}`;
    },
    bundle: () => ({ trustDomain, x509Authorities: [], jwtAuthorities: new Map([[keyId, publicKey]]) }),
  };
}

/** base64url of JSON, or of a text as it is. */
export function encode(value: JwtMembers | string): string {
  return Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
}

function newKey(algorithm: JwtAlgorithm, modulusLength: number): KeyObject {
  if (algorithm in CURVES) {
    const namedCurve = CURVES[algorithm as keyof typeof CURVES];
    return generateKeyPairSync("ec", { namedCurve }).privateKey;
  }
  return generateKeyPairSync("rsa", { modulusLength }).privateKey;
}

function signature(algorithm: JwtAlgorithm, key: KeyObject, text: string): string {
  const padding = algorithm.startsWith("PS") ? { padding: 6, saltLength: -1 } : {};
  const options = { key, dsaEncoding: "ieee-p1363" as const, ...padding };
  return sign(`sha${algorithm.slice(2)}`, Buffer.from(text), options).toString("base64url");
}
