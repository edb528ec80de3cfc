import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { encodeRequest } from "../certificate-request.ts";
import { implicit } from "../der.ts";

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
export function certificateRequest({
  dnsNames = [],
  key = freshKey(),
  uris = [],
  ...rest
}: RequestFields = {}): Buffer {
  const names = [
    ...uris.map((uri) => implicit(6, Buffer.from(uri))),
    ...dnsNames.map((name) => implicit(2, Buffer.from(name))),
  ];
  return encodeRequest({ key, names, ...rest });
}

/** The request as the protocol carries it. */
export function requestText(fields: RequestFields = {}): string {
  return certificateRequest(fields).toString("base64url");
}
