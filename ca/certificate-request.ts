import { createPublicKey, type KeyObject, sign } from "node:crypto";
import {
  type Asn1,
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

/** What a request says, sound or not: it is written as told. */
export interface RequestParts {
  /** The key that the certificate is asked for. */
  readonly key: KeyObject;
  /** Names of the subject, each tagged as RFC 5280 has it; without any there is no extension request. */
  readonly names: readonly Asn1[];
  /** Signs in the place of `key`. */
  readonly signer?: KeyObject;
  readonly version?: number;
}

/** A PKCS#10 request (RFC 2986) for a signing certificate, as DER: empty subject, the trust domain's URI, P-256. */
export function signingRequest(key: KeyObject, uri: string): Buffer {
  return encodeRequest({ key, names: [implicit(6, Buffer.from(uri, "ascii"))] });
}

/** A PKCS#10 request (RFC 2986) of these parts, as DER; its subject is empty. */
export function encodeRequest({ key, names, signer = key, version = 0 }: RequestParts): Buffer {
  const info = sequence(
    unsignedInteger(Buffer.from([version])),
    sequence(),
    parseDer(spkiOf(createPublicKey(key))),
    explicit(0, ...extensionRequest(names)),
  );
  const signature = sign("sha256", toDer(info), signer);
  return toDer(sequence(info, sequence(oid(OID.ecdsaWithSha256)), bitString(signature)));
}

function extensionRequest(names: readonly Asn1[]): readonly Asn1[] {
  if (names.length === 0) return [];
  const extension = sequence(oid(OID.subjectAltName), octetString(toDer(sequence(...names))));
  return [sequence(oid(OID.extensionRequest), set(sequence(extension)))];
}
