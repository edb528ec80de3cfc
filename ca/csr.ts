import { createPublicKey, type KeyObject, verify } from "node:crypto";
import type { SpiffeId } from "../spiffe/index.ts";
import { CaError } from "./ca-error.ts";
import { type Asn1, childrenOf, contentOf, oidOf, parseDer, Tag, TagClass, toDer } from "./der.ts";
import { OID } from "./oids.ts";
import { keepSpki } from "./public-key.ts";

const MAX_BYTES = 8192;
const P256_POINT_BYTES = 65;

/**
 * Reads a PKCS#10 request (RFC 2986) and returns the key that it proves possession of. The identity is stamped by the
 * authority: names in the request are ignored, except that a URI other than `expected` is refused. P-256 and
 * ECDSA with SHA-256 only. Throws `ERR_CA_CSR`.
 */
export function parseCsr(der: Uint8Array, expected: SpiffeId): KeyObject {
  if (der.byteLength > MAX_BYTES) throw refusal(`it has ${der.byteLength} bytes, over ${MAX_BYTES}`);
  const request = attempt("it is not DER of a PKCS#10 request", () => parseRequest(der));
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
  readonly publicKey: Asn1;
  readonly uris: readonly string[];
}

function parseRequest(der: Uint8Array): Request {
  const [info, algorithm, signature, ...rest] = childrenOf(parseDer(der), Tag.SEQUENCE);
  const [version, subject, publicKey, attributes, ...others] = childrenOf(info, Tag.SEQUENCE);
  if (info === undefined || publicKey === undefined || rest.length + others.length > 0)
    throw new Error("not the shape expected");
  if (!contentOf(version, Tag.INTEGER).equals(Buffer.from([0]))) throw new Error("not version 1");
  childrenOf(subject, Tag.SEQUENCE);
  const [name, ...parameters] = childrenOf(algorithm, Tag.SEQUENCE);
  if (oidOf(name) !== OID.ecdsaWithSha256 || parameters.length > 0) throw new Error("not ECDSA with SHA-256");
  const bits = contentOf(signature, Tag.BITSTRING);
  if (bits[0] !== 0) throw new Error("a signature of broken bytes");
  const uris = attributes === undefined ? [] : parseUris(attributes);
  // INVARIANT: the whole request equals its own re-encoding, so these are the bytes that were signed.
  return { signed: toDer(info), signature: bits.subarray(1), publicKey, uris };
}

/** The URI names of every requested subjectAltName. */
function parseUris(attributes: Asn1): string[] {
  return childrenOf(attributes, 0, TagClass.CONTEXT_SPECIFIC).flatMap((attribute) => {
    const [type, values] = childrenOf(attribute, Tag.SEQUENCE);
    if (oidOf(type) !== OID.extensionRequest) return [];
    return childrenOf(values, Tag.SET).flatMap((extensions) =>
      childrenOf(extensions, Tag.SEQUENCE).flatMap(parseExtension),
    );
  });
}

function parseExtension(extension: Asn1): string[] {
  const [id, ...rest] = childrenOf(extension, Tag.SEQUENCE);
  if (oidOf(id) !== OID.subjectAltName) return [];
  const names = childrenOf(parseDer(contentOf(rest.at(-1), Tag.OCTETSTRING)), Tag.SEQUENCE);
  return names
    .filter((name) => name.tagClass === TagClass.CONTEXT_SPECIFIC && name.type === 6)
    .map((name) => contentOf(name, 6, TagClass.CONTEXT_SPECIFIC).toString("latin1"));
}

function parseKey(node: Asn1): KeyObject {
  const [algorithm, bits, ...rest] = childrenOf(node, Tag.SEQUENCE);
  const [name, curve, ...parameters] = childrenOf(algorithm, Tag.SEQUENCE);
  const point = contentOf(bits, Tag.BITSTRING);
  const fits = point[0] === 0 && point[1] === 4 && point.length === P256_POINT_BYTES + 1;
  if (
    oidOf(name) !== OID.ecPublicKey ||
    oidOf(curve) !== OID.prime256v1 ||
    !fits ||
    rest.length + parameters.length > 0
  ) {
    throw new Error("not an uncompressed point of P-256");
  }
  const [x, y] = [point.toString("base64url", 2, 34), point.toString("base64url", 34)];
  // Refuses a point that does not lie on the curve; from its coordinates a key is made in half the time.
  const key = createPublicKey({ key: { kty: "EC", crv: "P-256", x, y }, format: "jwk" });
  keepSpki(key, toDer(node));
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
