import { excerpt } from "./excerpt.ts";
import { isList, type JsonObject, type JsonValue, tryParseJson } from "./json.ts";
import { errorOf, type JwtErrorCode, type Refusal, refuse } from "./spiffe-error.ts";
import { type SpiffeId, tryParseSpiffeId } from "./spiffe-id.ts";

/** A JWT-SVID as it reads (JWT-SVID, sections 2 and 3); whether anybody trusts it is `verifyJwtSvid`'s question. */
export interface JwtSvid {
  /** The `sub` claim. */
  readonly id: SpiffeId;
  /** The `aud` claim, as a list whichever way it was written. */
  readonly audience: readonly string[];
  readonly expiresAt: Date;
  readonly issuedAt?: Date;
  /** Every claim by name, as plain JSON values. */
  readonly claims: ReadonlyMap<string, unknown>;
  /** Compact serialization: the text that goes behind `authorization: Bearer`. */
  readonly token: string;
}

/** A token taken apart. */
export interface JwtParts {
  readonly ok: true;
  readonly svid: JwtSvid;
  readonly algorithm: string;
  readonly keyId: string;
  readonly notBefore?: Date;
}

/** The longest token that is read, in characters. */
export const MAX_TOKEN_CHARS = 64 * 1024;

/** J-2: nothing else is even looked at. */
const ALGORITHMS: ReadonlySet<JsonValue | undefined> = new Set([
  ...["RS256", "RS384", "RS512"],
  ...["ES256", "ES384", "ES512"],
  ...["PS256", "PS384", "PS512"],
]);
const TYPES: ReadonlySet<JsonValue | undefined> = new Set([undefined, "JWT", "JOSE"]);
const HEADER_NAMES: ReadonlySet<string> = new Set(["alg", "kid", "typ"]);
const COMPACT = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/;
/** The last instant that a `Date` holds, in seconds. */
const MAX_SECONDS = 8_640_000_000_000;

/**
 * Reads a JWT-SVID without asking who signed it: for the holder of a token, not for who receives one. Throws
 * `SpiffeError` with the codes of `JwtErrorCode`.
 *
 * SECURITY: nothing that this returns is proven. A receiver calls `verifyJwtSvid`.
 */
export function parseJwtSvid(token: string): JwtSvid {
  const read = readJwt(token);
  if (!read.ok) throw errorOf(read);
  return read.svid;
}

/** Takes a token apart and holds it to the profile; never throws. */
export function readJwt(token: string): JwtParts | Refusal<JwtErrorCode> {
  const [, head, body] = token.length > MAX_TOKEN_CHARS ? [] : (COMPACT.exec(token) ?? []);
  if (head === undefined || body === undefined) {
    return refuse("ERR_SPIFFE_JWT_FORM", "not a JWS in compact serialization");
  }
  const header = readPart(head);
  if (header === undefined) return refuse("ERR_SPIFFE_JWT_HEADER", "the header is no JSON object");
  const refusal = refuseHeader(header);
  if (refusal !== undefined) return refusal;
  const claims = readPart(body);
  if (claims === undefined) return refuse("ERR_SPIFFE_JWT_CLAIMS", "the claims are no JSON object");
  return readClaims(token, header, claims);
}

function readPart(text: string): JsonObject | undefined {
  const bytes = Buffer.from(text, "base64url");
  if (bytes.toString("base64url") !== text) return undefined;
  const read = tryParseJson(bytes.toString("utf8"));
  return read.ok && read.value instanceof Map ? read.value : undefined;
}

function refuseHeader(header: JsonObject): Refusal<JwtErrorCode> | undefined {
  if (!ALGORITHMS.has(header.get("alg"))) {
    return refuse("ERR_SPIFFE_JWT_ALGORITHM", "the algorithm is none of RS, ES or PS with 256, 384 or 512 bits");
  }
  // SECURITY: an exact set, so that `crit`, `b64`, `jwk`, `jku`, `x5c` and what is yet to come change nothing (J-3).
  const stranger = [...header.keys()].find((name) => !HEADER_NAMES.has(name));
  if (stranger !== undefined) {
    return refuse("ERR_SPIFFE_JWT_HEADER", `the header has a parameter too many: ${excerpt(stranger)}`);
  }
  if (!TYPES.has(header.get("typ"))) return refuse("ERR_SPIFFE_JWT_TYPE", "the type is neither `JWT` nor `JOSE`");
  const keyId = header.get("kid");
  if (typeof keyId !== "string" || keyId === "") {
    return refuse("ERR_SPIFFE_JWT_NO_KEY_ID", "the header names no key: `kid` is missing");
  }
  return undefined;
}

function readClaims(token: string, header: JsonObject, claims: JsonObject): JwtParts | Refusal<JwtErrorCode> {
  const subject = readSubject(claims.get("sub"));
  if (!subject.ok) return subject;
  const audience = audienceOf(claims.get("aud"));
  if (audience === undefined) {
    return refuse("ERR_SPIFFE_JWT_AUDIENCE", "`aud` is neither a text nor a list of texts, or is empty");
  }
  const times = readTimes(claims);
  if (!times.ok) return times;
  const { expiresAt, issuedAt, notBefore } = times;
  const svid: JwtSvid = Object.freeze({
    id: subject.id,
    audience,
    expiresAt,
    ...(issuedAt && { issuedAt }),
    claims: new Map([...claims].map(([name, value]) => [name, plain(value)])),
    token,
  });
  return {
    ok: true,
    svid,
    algorithm: String(header.get("alg")),
    keyId: String(header.get("kid")),
    ...(notBefore && { notBefore }),
  };
}

function readSubject(value: JsonValue | undefined): { ok: true; id: SpiffeId } | Refusal<JwtErrorCode> {
  if (typeof value !== "string") return refuse("ERR_SPIFFE_JWT_SUBJECT", "`sub` is missing");
  const read = tryParseSpiffeId(value);
  if (!read.ok) return refuse("ERR_SPIFFE_JWT_SUBJECT", `\`sub\` is no SPIFFE ID: ${read.message}`);
  if (read.id.path === "") return refuse("ERR_SPIFFE_JWT_SUBJECT", "`sub` names a whole trust domain");
  return read;
}

function audienceOf(value: JsonValue | undefined): readonly string[] | undefined {
  const list = typeof value === "string" ? [value] : isList(value) ? value : [];
  const texts = list.filter((one): one is string => typeof one === "string" && one !== "");
  return texts.length > 0 && texts.length === list.length ? Object.freeze(texts) : undefined;
}

interface Times {
  readonly ok: true;
  readonly expiresAt: Date;
  readonly issuedAt: Date | undefined;
  readonly notBefore: Date | undefined;
}

function readTimes(claims: JsonObject): Times | Refusal<JwtErrorCode> {
  const expiresAt = dateOf(claims.get("exp"));
  if (expiresAt === undefined) return refuse("ERR_SPIFFE_JWT_CLAIMS", "`exp` is missing or no number of seconds");
  const [issuedAt, notBefore] = [dateOf(claims.get("iat")), dateOf(claims.get("nbf"))];
  if (issuedAt === undefined && claims.has("iat")) return badTime("iat");
  if (notBefore === undefined && claims.has("nbf")) return badTime("nbf");
  return { ok: true, expiresAt, issuedAt, notBefore };
}

const badTime = (name: string): Refusal<JwtErrorCode> =>
  refuse("ERR_SPIFFE_JWT_CLAIMS", `\`${name}\` is no number of seconds`);

/** A NumericDate (RFC 7519, section 2). */
function dateOf(value: JsonValue | undefined): Date | undefined {
  if (value === null || typeof value !== "object" || !("kind" in value)) return undefined;
  const seconds = Number(value.text);
  return seconds >= 0 && seconds <= MAX_SECONDS ? new Date(seconds * 1000) : undefined;
}

/** A value as `JSON.parse` gives it; what a name like `__proto__` would set stays a property of its own. */
function plain(value: JsonValue): unknown {
  if (isList(value)) return value.map(plain);
  if (value instanceof Map) return Object.fromEntries([...value].map(([name, inner]) => [name, plain(inner)]));
  return value !== null && typeof value === "object" && "kind" in value ? Number(value.text) : value;
}
