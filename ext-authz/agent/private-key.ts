import { createPrivateKey, generateKeyPairSync, type KeyObject } from "node:crypto";

/** A new P-256 key. */
export function newPrivateKey(): KeyObject {
  return generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
}

/** PKCS#8 PEM, unencrypted: only for files of mode 0600. */
export function formatPrivateKey(key: KeyObject): string {
  return key.export({ type: "pkcs8", format: "pem" }).toString();
}

export function parsePrivateKey(pem: string): KeyObject {
  return createPrivateKey(pem);
}
