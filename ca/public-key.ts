import { createHash, type KeyObject } from "node:crypto";
import { childrenOf, contentOf, parseDer, Tag } from "./der.ts";

/** The first 160 bits of SHA-256 over the public key's bits (RFC 7093, section 2, method 1). */
export function keyIdOf(publicKey: KeyObject): Buffer {
  return createHash("sha256")
    .update(keyBitsOf(spkiOf(publicKey)))
    .digest()
    .subarray(0, 20);
}

/** The point in the SubjectPublicKeyInfo of a P-256 key that is written uncompressed; nothing for any other key. */
export function p256PointOf(spki: Buffer): Buffer | undefined {
  const fits = spki.length === P256_SPKI_BYTES && spki.subarray(0, P256_SPKI.length).equals(P256_SPKI);
  return fits ? spki.subarray(P256_SPKI.length) : undefined;
}

function keyBitsOf(spki: Buffer): Buffer {
  const point = p256PointOf(spki);
  if (point !== undefined) return point;
  const [, bits] = childrenOf(parseDer(spki), Tag.SEQUENCE);
  return contentOf(bits, Tag.BITSTRING).subarray(1);
}

/** What stands before an uncompressed point of P-256 in its SubjectPublicKeyInfo: the one form that it has there. */
const P256_SPKI = Buffer.from("3059301306072a8648ce3d020106082a8648ce3d030107034200", "hex");
const P256_SPKI_BYTES = P256_SPKI.length + 65;

const spkis = new WeakMap<KeyObject, Buffer>();

/** DER of a public key's SubjectPublicKeyInfo; taken from the key once, as that costs as much as several signatures. */
export function spkiOf(publicKey: KeyObject): Buffer {
  const known = spkis.get(publicKey);
  if (known !== undefined) return known;
  const spki = publicKey.export({ type: "spki", format: "der" });
  spkis.set(publicKey, spki);
  return spki;
}

/** Notes a key's SubjectPublicKeyInfo where its bytes are at hand. INVARIANT: it is the one that the key would be exported as. */
export function keepSpki(publicKey: KeyObject, spki: Buffer): void {
  spkis.set(publicKey, spki);
}
