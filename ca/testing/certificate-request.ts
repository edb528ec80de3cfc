import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
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
} from "../der.ts";
import { OID } from "../oids.ts";
import { spkiOf } from "../public-key.ts";

/** What a test may want to say about a request; each field is written as told, sound or not. */
export interface RequestFields {
  readonly key?: KeyObject;
  /** Signs instead of `key`. */
  readonly signer?: KeyObject;
  readonly uris?: readonly string[];
  readonly dnsNames?: readonly string[];
  readonly version?: number;
}

/** A fresh P-256 key. */
export function freshKey(): KeyObject {
  return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
}

/** A PKCS#10 request, DER. */
export function certificateRequest(fields: RequestFields = {}): Buffer {
  const key = fields.key ?? freshKey();
  const info = sequence(
    unsignedInteger(Buffer.from([fields.version ?? 0])),
    sequence(),
    parseDer(spkiOf(createPublicKey(key))),
    explicit(0, ...extensionRequest(fields)),
  );
  const signature = sign("sha256", toDer(info), fields.signer ?? key);
  return toDer(sequence(info, sequence(oid(OID.ecdsaWithSha256)), bitString(signature)));
}

/** The request as the protocol carries it. */
export function requestText(fields: RequestFields = {}): string {
  return certificateRequest(fields).toString("base64url");
}

function extensionRequest({ uris = [], dnsNames = [] }: RequestFields): Asn1[] {
  const names = [
    ...uris.map((uri) => implicit(6, Buffer.from(uri))),
    ...dnsNames.map((name) => implicit(2, Buffer.from(name))),
  ];
  if (names.length === 0) return [];
  const extension = sequence(oid(OID.subjectAltName), octetString(toDer(sequence(...names))));
  return [sequence(oid(OID.extensionRequest), set(sequence(extension)))];
}
