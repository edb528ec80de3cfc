import { createPublicKey, type JsonWebKey, type KeyObject, type X509Certificate } from "node:crypto";
import { certificateFromDer } from "./certificate.ts";
import { isList, type JsonObject, type JsonValue, tryParseJson } from "./json.ts";
import { type BundleErrorCode, errorOf, SpiffeError } from "./spiffe-error.ts";
import { parseTrustDomain, type TrustDomain } from "./trust-domain.ts";

/**
 * The keys that vouch for one trust domain (SPIFFE Trust Domain and Bundle, section 4).
 *
 * SECURITY: a bundle always carries its trust domain, and bundles of different ones are never merged (B-6).
 */
export interface TrustBundle {
  readonly trustDomain: TrustDomain;
  readonly x509Authorities: readonly X509Certificate[];
  /** By key id. */
  readonly jwtAuthorities: ReadonlyMap<string, KeyObject>;
  /** Grows with every change of content; below 2^64. */
  readonly sequence?: bigint;
  readonly refreshHintSeconds?: number;
  /** Lists of revoked certificates (CRLs) that cover every chain, where the authority signs them; no part of the document. */
  readonly revocationLists?: readonly RevocationListDer[];
}

/** A certificate revocation list as DER, and when it ends. */
export interface RevocationListDer {
  readonly der: Uint8Array;
  readonly until: Date;
}

const KEY_TYPES: ReadonlySet<JsonValue | undefined> = new Set(["EC", "RSA"]);
const KEY_PARAMETERS = ["kty", "crv", "x", "y", "n", "e"] as const;
const SEQUENCE_LIMIT = 2n ** 64n;
const MAX_DOCUMENT_CHARS = 4 * 1024 * 1024;

/**
 * Reads a SPIFFE bundle document, a JWK Set (SPIFFE Trust Domain and Bundle, section 4.2). Entries of unknown key type
 * or use are ignored (B-4), as are X.509 entries without a certificate. Throws `SpiffeError` with the codes of
 * `BundleErrorCode`.
 */
export function parseTrustBundle(trustDomain: TrustDomain, text: string): TrustBundle {
  return readBundle(trustDomain, objectOf(parseJson(text), "the document"));
}

/**
 * Reads a bundle map: `trust_domains`, by name (SPIFFE Trust Domain and Bundle, section 5; B-5). Each bundle stays
 * with its trust domain. Throws as `parseTrustBundle`, and with the codes of `SpiffeIdErrorCode` for a wrong name.
 */
export function parseTrustBundleMap(text: string): ReadonlyMap<TrustDomain, TrustBundle> {
  const document = objectOf(parseJson(text), "the document");
  const bundles = objectOf(document.get("trust_domains"), "`trust_domains`");
  return new Map([...bundles].map(([name, value]) => readNamed(name, value)));
}

/**
 * Reads the JWT authorities of a trust domain as the Workload API gives them: a JWK Set that holds nothing else, whose
 * entries need not say their use. Throws as `parseTrustBundle`.
 */
export function parseJwtBundle(trustDomain: TrustDomain, text: string): TrustBundle {
  const keys = keysOf(objectOf(parseJson(text), "the document"));
  const entries = keys.filter((entry) => !entry.has("use") || entry.get("use") === "jwt-svid");
  return Object.freeze({ trustDomain, x509Authorities: [], jwtAuthorities: readJwtAuthorities(entries) });
}

function readNamed(name: string, value: JsonValue): [TrustDomain, TrustBundle] {
  const trustDomain = parseTrustDomain(name);
  if (trustDomain !== name) throw bad("ERR_SPIFFE_BUNDLE_SHAPE", "a bundle map's key is more than a trust domain name");
  return [trustDomain, readBundle(trustDomain, objectOf(value, `\`${trustDomain}\``))];
}

function parseJson(text: string): JsonValue {
  if (text.length > MAX_DOCUMENT_CHARS) throw bad("ERR_SPIFFE_BUNDLE_JSON", "more than 4 MiB");
  const read = tryParseJson(text);
  if (!read.ok) throw errorOf(read);
  return read.value;
}

function readBundle(trustDomain: TrustDomain, document: JsonObject): TrustBundle {
  const entries = keysOf(document);
  const sequence = readSequence(document.get("spiffe_sequence"));
  const refreshHintSeconds = readRefreshHint(document.get("spiffe_refresh_hint"));
  return Object.freeze({
    trustDomain,
    x509Authorities: entries.filter((entry) => entry.get("use") === "x509-svid").flatMap(readX509Authority),
    jwtAuthorities: readJwtAuthorities(entries.filter((entry) => entry.get("use") === "jwt-svid")),
    ...(sequence !== undefined && { sequence }),
    ...(refreshHintSeconds !== undefined && { refreshHintSeconds }),
  });
}

/** The entries of known key type. */
function keysOf(document: JsonObject): JsonObject[] {
  const keys = document.get("keys");
  if (!isList(keys)) throw bad("ERR_SPIFFE_BUNDLE_SHAPE", "`keys` is missing or no list");
  return keys.map((key) => objectOf(key, "an entry of `keys`")).filter((key) => KEY_TYPES.has(key.get("kty")));
}

function readX509Authority(entry: JsonObject): X509Certificate[] {
  const chain = entry.get("x5c");
  if (entry.has("kid")) throw bad("ERR_SPIFFE_BUNDLE_ENTRY", "an X.509 entry has a `kid`");
  if (chain === undefined) return [];
  const [first] = isList(chain) ? chain : [];
  if (typeof first !== "string") throw bad("ERR_SPIFFE_BUNDLE_ENTRY", "`x5c` is no list of certificates");
  const certificate = readCertificateText(first);
  // RFC 7517, section 4.7: the entry's own parameters are the certificate's key.
  if (!readKey(entry).equals(publicKeyOf(certificate))) {
    throw bad("ERR_SPIFFE_BUNDLE_ENTRY", "an entry's key is not that of its certificate");
  }
  return [certificate];
}

function readCertificateText(text: string): X509Certificate {
  const der = Buffer.from(text, "base64");
  if (der.toString("base64") !== text) throw bad("ERR_SPIFFE_BUNDLE_ENTRY", "`x5c` is not in base64");
  try {
    return certificateFromDer(der);
  } catch (cause) {
    throw bad("ERR_SPIFFE_BUNDLE_ENTRY", "`x5c` holds something other than a certificate", cause);
  }
}

function readJwtAuthorities(entries: readonly JsonObject[]): ReadonlyMap<string, KeyObject> {
  const keys = new Map<string, KeyObject>();
  for (const entry of entries) {
    const id = entry.get("kid");
    if (typeof id !== "string" || id === "") throw bad("ERR_SPIFFE_BUNDLE_ENTRY", "a JWT entry has no `kid`");
    if (keys.has(id)) throw bad("ERR_SPIFFE_BUNDLE_ENTRY", "two JWT entries have the same `kid`");
    keys.set(id, readKey(entry));
  }
  return keys;
}

/** The public key of an entry; private parameters, which have no place here, are not even looked at. */
function readKey(entry: JsonObject): KeyObject {
  const jwk: JsonWebKey = {};
  for (const name of KEY_PARAMETERS) {
    const value = entry.get(name);
    if (typeof value === "string") jwk[name] = value;
  }
  try {
    return createPublicKey({ key: jwk, format: "jwk" });
  } catch (cause) {
    throw bad("ERR_SPIFFE_BUNDLE_ENTRY", "an entry holds no public key", cause);
  }
}

function publicKeyOf(certificate: X509Certificate): KeyObject {
  try {
    return certificate.publicKey;
  } catch (cause) {
    throw bad("ERR_SPIFFE_BUNDLE_ENTRY", "a certificate has an unreadable key", cause);
  }
}

function readSequence(value: JsonValue | undefined): bigint | undefined {
  if (value === undefined) return undefined;
  const sequence = BigInt(digitsOf(value, "ERR_SPIFFE_BUNDLE_SEQUENCE", "`spiffe_sequence`"));
  if (sequence < SEQUENCE_LIMIT) return sequence;
  throw bad("ERR_SPIFFE_BUNDLE_SEQUENCE", "`spiffe_sequence` does not fit in 64 bits");
}

function readRefreshHint(value: JsonValue | undefined): number | undefined {
  if (value === undefined) return undefined;
  const seconds = Number(digitsOf(value, "ERR_SPIFFE_BUNDLE_REFRESH_HINT", "`spiffe_refresh_hint`"));
  if (Number.isSafeInteger(seconds)) return seconds;
  throw bad("ERR_SPIFFE_BUNDLE_REFRESH_HINT", "`spiffe_refresh_hint` is too large");
}

function digitsOf(value: JsonValue, code: BundleErrorCode, what: string): string {
  const text = value !== null && typeof value === "object" && "kind" in value ? value.text : "";
  if (!/^\d{1,20}$/.test(text)) throw bad(code, `${what} is no whole number of at most 20 digits`);
  return text;
}

function objectOf(value: JsonValue | undefined, what: string): JsonObject {
  if (value instanceof Map) return value;
  throw bad("ERR_SPIFFE_BUNDLE_SHAPE", `${what} is missing or no object`);
}

function bad(code: BundleErrorCode, what: string, cause?: unknown): SpiffeError {
  return new SpiffeError(code, `not a trust bundle: ${what}`, { cause });
}

/**
 * A bundle as a SPIFFE bundle document, the same text for the same content: X.509 entries without `kid` and with one
 * certificate each, JWT entries with `kid` (J-7). Throws `SpiffeError` `ERR_SPIFFE_BUNDLE_ENTRY` for keys that
 * are neither EC nor RSA, and `ERR_SPIFFE_BUNDLE_SEQUENCE` or `ERR_SPIFFE_BUNDLE_REFRESH_HINT` for numbers out of range.
 */
export function formatTrustBundle(bundle: TrustBundle): string {
  const x509 = bundle.x509Authorities.map((certificate) => ({
    use: "x509-svid",
    ...exportKey(certificate.publicKey),
    x5c: [certificate.raw.toString("base64")],
  }));
  const jwt = [...bundle.jwtAuthorities].map(([kid, key]) => ({ use: "jwt-svid", kid, ...exportKey(key) }));
  const { sequence, refreshHintSeconds } = bundle;
  // Numbers are written as text, because JSON.stringify cannot write one beyond 2^53.
  const members = [
    `"keys":${JSON.stringify([...x509, ...jwt])}`,
    ...(sequence === undefined ? [] : [`"spiffe_sequence":${readSequence(jsonNumber(sequence))}`]),
    ...(refreshHintSeconds === undefined
      ? []
      : [`"spiffe_refresh_hint":${readRefreshHint(jsonNumber(refreshHintSeconds))}`]),
  ];
  return `{${members.join(",")}}`;
}

const jsonNumber = (value: bigint | number): JsonValue => ({ kind: "number", text: String(value) });

function exportKey(key: KeyObject): Readonly<Record<string, string | undefined>> {
  const type = key.asymmetricKeyType;
  if (key.type !== "public" || (type !== "ec" && type !== "rsa")) {
    throw bad("ERR_SPIFFE_BUNDLE_ENTRY", "a key is not a public EC or RSA key");
  }
  const { kty, crv, x, y, n, e } = key.export({ format: "jwk" });
  return { kty, crv, x, y, n, e };
}
