import type { KeyObject, X509Certificate } from "node:crypto";
import { certificateFromDer, readCertificate } from "./certificate.ts";
import { excerpt } from "./excerpt.ts";
import { jose } from "./jose.ts";
import { isList, type JsonObject, tryParseJson } from "./json.ts";
import { type DocumentErrorCode, type Refusal, refuse, SpiffeError } from "./spiffe-error.ts";
import type { SpiffeId } from "./spiffe-id.ts";
import type { TrustBundle } from "./trust-bundle.ts";
import { MAX_CHAIN_CERTIFICATES, verifyX509Svid } from "./verify-x509-svid.ts";
import type { X509Svid } from "./x509-svid.ts";

const ALGORITHM = "ES256";
const HEADER_NAMES: ReadonlySet<string> = new Set(["alg", "typ", "x5c"]);
const DETACHED = /^([A-Za-z0-9_-]+)\.\.([A-Za-z0-9_-]+)$/;
const MAX_HEADER_CHARS = 64 * 1024;
/** 64 bytes in base64url. */
const SIGNATURE_CHARS = 86;

/** A document that one identity signs for others: bytes, and a detached JWS over them. */
export interface SignedDocument {
  readonly payload: Uint8Array;
  /** `<protected>..<signature>`. */
  readonly signature: string;
  /** Media type of the document, the header's `typ`; keeps one kind of document from passing as another. */
  readonly typ: string;
  /** Who must have signed it, exactly. */
  readonly signer: SpiffeId;
  readonly bundle: TrustBundle;
  /** When the signer's chain must be valid. */
  readonly at: Date;
}

export type VerifySignedDocumentResult = { readonly ok: true } | Refusal;

interface Header {
  readonly ok: true;
  readonly chain: readonly X509Certificate[];
}

/**
 * Verifies a detached JWS (RFC 7515, appendix F): algorithm ES256, header exactly `alg`, `typ` and `x5c`, the chain in
 * `x5c` an X.509-SVID of exactly `signer` under the bundle. Nothing of the payload is interpreted. Never rejects;
 * refuses with the codes of `DocumentErrorCode` and those of `verifyX509Svid`.
 *
 * SECURITY: the payload may be parsed only after this said `ok`.
 */
export async function verifySignedDocument(document: SignedDocument): Promise<VerifySignedDocumentResult> {
  const [, protectedHeader, signature] = DETACHED.exec(document.signature) ?? [];
  if (!isBase64url(protectedHeader, MAX_HEADER_CHARS) || !isBase64url(signature, SIGNATURE_CHARS)) {
    return refuse("ERR_SPIFFE_DOCUMENT_FORM", "the signature is no detached JWS `<protected>..<signature>`");
  }
  const header = readHeader(protectedHeader, document.typ);
  if (!header.ok) return header;
  const svid = verifyX509Svid(header.chain, document.bundle, { at: document.at });
  if (!svid.ok) return svid;
  if (!svid.id.equals(document.signer)) {
    return refuse("ERR_SPIFFE_DOCUMENT_SIGNER", `signed by \`${svid.id}\` instead of \`${document.signer}\``);
  }
  const { publicKey } = svid.leaf;
  if (!isP256(publicKey)) return refuse("ERR_SPIFFE_DOCUMENT_KEY", "the signer's key is not on P-256");
  const payload = Buffer.from(document.payload).toString("base64url");
  return (await isSigned({ protected: protectedHeader, payload, signature }, publicKey))
    ? { ok: true }
    : refuse("ERR_SPIFFE_DOCUMENT_SIGNATURE", "the signature is not over these bytes");
}

/** Whether a text is the one base64url spelling of its bytes, of at most so many characters. */
function isBase64url(text: string | undefined, maxChars: number): text is string {
  if (text === undefined || text.length > maxChars) return false;
  return Buffer.from(text, "base64url").toString("base64url") === text;
}

async function isSigned(
  jws: { protected: string; payload: string; signature: string },
  key: KeyObject,
): Promise<boolean> {
  try {
    const { flattenedVerify } = await jose();
    await flattenedVerify(jws, key, { algorithms: [ALGORITHM] });
    return true;
  } catch {
    return false;
  }
}

function readHeader(encoded: string, typ: string): Header | Refusal<DocumentErrorCode> {
  const parsed = tryParseJson(Buffer.from(encoded, "base64url").toString("utf8"));
  if (!parsed.ok || !(parsed.value instanceof Map)) {
    return refuse("ERR_SPIFFE_DOCUMENT_HEADER", "the protected header is no JSON object");
  }
  return refuseHeader(parsed.value, typ) ?? readChain(parsed.value);
}

function refuseHeader(header: JsonObject, typ: string): Refusal<DocumentErrorCode> | undefined {
  // SECURITY: an exact set, so that `crit`, `b64`, `jwk`, `jku`, `kid` and what is yet to come change nothing.
  const stranger = [...header.keys()].find((name) => !HEADER_NAMES.has(name));
  if (stranger !== undefined) {
    return refuse("ERR_SPIFFE_DOCUMENT_HEADER", `the protected header has a parameter too many: ${excerpt(stranger)}`);
  }
  if (header.get("alg") !== ALGORITHM) return refuse("ERR_SPIFFE_DOCUMENT_ALGORITHM", "the algorithm is not ES256");
  if (header.get("typ") !== typ) return refuse("ERR_SPIFFE_DOCUMENT_TYPE", `the document is not of type \`${typ}\``);
  return undefined;
}

function readChain(header: JsonObject): Header | Refusal<DocumentErrorCode> {
  const entries = header.get("x5c");
  if (!isList(entries) || entries.length < 1 || entries.length > MAX_CHAIN_CERTIFICATES) return badChain();
  const chain = entries.flatMap((entry) => certificateFromText(entry) ?? []);
  return chain.length === entries.length ? { ok: true, chain } : badChain();
}

const badChain = (): Refusal<DocumentErrorCode> =>
  refuse("ERR_SPIFFE_DOCUMENT_HEADER", "`x5c` is no list of certificates in base64");

function certificateFromText(text: unknown): X509Certificate | undefined {
  if (typeof text !== "string") return undefined;
  const der = Buffer.from(text, "base64");
  if (der.toString("base64") !== text) return undefined;
  try {
    return certificateFromDer(der);
  } catch {
    return undefined;
  }
}

const isP256 = (key: KeyObject): boolean => key.asymmetricKeyDetails?.namedCurve === "prime256v1";

/**
 * Signs bytes as `verifySignedDocument` reads them; gives `<protected>..<signature>`. The chain goes into `x5c` without
 * self-issued roots. Throws `SpiffeError` `ERR_SPIFFE_DOCUMENT_KEY` for a key that is not on P-256.
 */
export async function signDocument(options: {
  readonly payload: Uint8Array;
  readonly typ: string;
  readonly svid: X509Svid;
}): Promise<string> {
  const { payload, typ, svid } = options;
  if (!isP256(svid.privateKey)) throw new SpiffeError("ERR_SPIFFE_DOCUMENT_KEY", "the signer's key is not on P-256");
  const x5c = svid.chain
    .filter((certificate, at) => at === 0 || !isSelfIssued(certificate))
    .map(({ raw }) => raw.toString("base64"));
  const { FlattenedSign } = await jose();
  const jws = await new FlattenedSign(payload).setProtectedHeader({ alg: ALGORITHM, typ, x5c }).sign(svid.privateKey);
  return `${jws.protected}..${jws.signature}`;
}

function isSelfIssued(certificate: X509Certificate): boolean {
  const read = readCertificate(certificate);
  return read.ok && read.details.subject === read.details.issuer;
}
