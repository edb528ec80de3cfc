import { createPublicKey, type KeyObject, verify } from "node:crypto";
import type { SpiffeId } from "../spiffe/index.ts";
import { CaError } from "./ca-error.ts";
import { oid, sequence, toDer, unsignedInteger } from "./der.ts";
import { bytesIn, bytesOf, type DerSlice, isExactly, readSlices, SliceTag, slicesIn } from "./der-slices.ts";
import { OID } from "./oids.ts";
import { keepSpki, p256PointOf } from "./public-key.ts";

const MAX_BYTES = 8192;
/** What an uncompressed point begins with. */
const UNCOMPRESSED = 0x04;

/**
 * Reads a PKCS#10 request (RFC 2986) and returns the key that it proves possession of. The identity is stamped by the
 * authority: names in the request are ignored, except that a URI other than `expected` is refused. P-256 and
 * ECDSA with SHA-256 only. Throws `ERR_CA_CSR`.
 */
export function parseCsr(der: Uint8Array, expected: SpiffeId): KeyObject {
  if (der.byteLength > MAX_BYTES) throw refusal(`it has ${der.byteLength} bytes, over ${MAX_BYTES}`);
  const request = attempt("it is not DER of a PKCS#10 request", () =>
    parseRequest(Buffer.from(der.buffer, der.byteOffset, der.byteLength)),
  );
  const key = attempt("its key is not an uncompressed P-256 key", () => parseKey(request.publicKey));
  if (!verify("sha256", request.signed, key, request.signature)) throw refusal("its signature does not verify");
  for (const uri of request.uris) {
    if (uri !== expected.toString()) throw refusal(`it asks for \`${printableUri(uri)}\` where \`${expected}\` is due`);
  }
  return key;
}

interface Request {
  /** The bytes under the signature. */
  readonly signed: Buffer;
  readonly signature: Buffer;
  /** DER of the SubjectPublicKeyInfo. */
  readonly publicKey: Buffer;
  readonly uris: readonly string[];
}

const VERSION_1 = toDer(unsignedInteger(Buffer.from([0])));
const ECDSA_WITH_SHA256 = toDer(sequence(oid(OID.ecdsaWithSha256)));
const EXTENSION_REQUEST = toDer(oid(OID.extensionRequest));
const SUBJECT_ALT_NAME = toDer(oid(OID.subjectAltName));

function parseRequest(der: Buffer): Request {
  const [info, algorithm, signature, ...rest] = slicesIn(readSlices(der), SliceTag.SEQUENCE);
  const [version, subject, publicKey, attributes, ...others] = slicesIn(info, SliceTag.SEQUENCE);
  if (info === undefined || publicKey === undefined || rest.length + others.length > 0)
    throw new Error("not the shape expected");
  if (!isExactly(version, VERSION_1)) throw new Error("not version 1");
  slicesIn(subject, SliceTag.SEQUENCE);
  if (!isExactly(algorithm, ECDSA_WITH_SHA256)) throw new Error("not ECDSA with SHA-256");
  const bits = bytesIn(signature, SliceTag.BIT_STRING);
  if (bits[0] !== 0) throw new Error("a signature of broken bytes");
  const uris = attributes === undefined ? [] : parseUris(attributes);
  return { signed: bytesOf(info), signature: bits.subarray(1), publicKey: bytesOf(publicKey), uris };
}

/** The URI names of every requested subjectAltName. */
function parseUris(attributes: DerSlice): string[] {
  return slicesIn(attributes, SliceTag.ATTRIBUTES).flatMap((attribute) => {
    const [type, values] = slicesIn(attribute, SliceTag.SEQUENCE);
    if (!isExactly(type, EXTENSION_REQUEST)) return [];
    return slicesIn(values, SliceTag.SET).flatMap((extensions) =>
      slicesIn(extensions, SliceTag.SEQUENCE).flatMap(parseExtension),
    );
  });
}

function parseExtension(extension: DerSlice): string[] {
  const [id, ...rest] = slicesIn(extension, SliceTag.SEQUENCE);
  if (!isExactly(id, SUBJECT_ALT_NAME)) return [];
  const names = slicesIn(readSlices(bytesIn(rest.at(-1), SliceTag.OCTET_STRING)), SliceTag.SEQUENCE);
  return names.filter(({ tag }) => tag === SliceTag.URI).map((name) => bytesIn(name, SliceTag.URI).toString("latin1"));
}

function parseKey(spki: Buffer): KeyObject {
  const point = p256PointOf(spki);
  if (point?.[0] !== UNCOMPRESSED) throw new Error("not an uncompressed point of P-256");
  const [x, y] = [point.toString("base64url", 1, 33), point.toString("base64url", 33)];
  // Refuses a point that does not lie on the curve; from its coordinates a key is made in half the time.
  const key = createPublicKey({ key: { kty: "EC", crv: "P-256", x, y }, format: "jwk" });
  keepSpki(key, spki);
  return key;
}

function attempt<T>(problem: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    throw refusal(problem, cause);
  }
}

function refusal(problem: string, cause?: unknown): CaError {
  return new CaError("ERR_CA_CSR", `the certificate request is refused: ${problem}`, {
    hint: "send DER of a PKCS#10 request, with a P-256 key, signed by that key with SHA-256",
    cause,
  });
}

function printableUri(uri: string): string {
  return uri.slice(0, 256).replace(/[^\x21-\x7e]/g, "?");
}
