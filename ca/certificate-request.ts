import { createPublicKey, type KeyObject, sign } from "node:crypto";
import {
  bitString,
  explicit,
  implicit,
  octetString,
  oid,
  parseDer,
  sequence,
  set,
  toDer,
  unsignedInteger,
} from "./der.ts";
import { OID } from "./oids.ts";
import { spkiOf } from "./public-key.ts";

/** A PKCS#10 request (RFC 2986) for a signing certificate, as DER: empty subject, the trust domain's URI, P-256. */
export function signingRequest(key: KeyObject, uri: string): Buffer {
  const names = sequence(implicit(6, Buffer.from(uri, "ascii")));
  const extension = sequence(oid(OID.subjectAltName), octetString(toDer(names)));
  const attribute = sequence(oid(OID.extensionRequest), set(sequence(extension)));
  const publicKey = parseDer(spkiOf(createPublicKey(key)));
  const info = sequence(unsignedInteger(Buffer.from([0])), sequence(), publicKey, explicit(0, attribute));
  const algorithm = sequence(oid(OID.ecdsaWithSha256));
  return toDer(sequence(info, algorithm, bitString(sign("sha256", toDer(info), key))));
}
