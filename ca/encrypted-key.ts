import { createCipheriv, createPrivateKey, type KeyObject, pbkdf2Sync, randomBytes } from "node:crypto";
import { type Asn1, nullValue, octetString, oid, sequence, toDer, unsignedInteger } from "./der.ts";

/** PBKDF2 rounds: a fifth of a second a key. */
const ROUNDS = 210_000;
const OID = {
  pbes2: "1.2.840.113549.1.5.13",
  pbkdf2: "1.2.840.113549.1.5.12",
  hmacWithSha256: "1.2.840.113549.2.9",
  aes256Cbc: "2.16.840.1.101.3.4.1.42",
} as const;

/**
 * A private key as encrypted PKCS#8 PEM: PBES2 with PBKDF2-HMAC-SHA256 and AES-256-CBC (RFC 8018, section 6.2), which OpenSSL
 * reads. Node's own export does the same with 2048 rounds, too few for what people make up.
 */
export function encryptKey(key: KeyObject, passphrase: string): string {
  return pemOf("ENCRYPTED PRIVATE KEY", toDer(encryptedKeyInfo(key, passphrase)));
}

/** The same as a tree. */
export function encryptedKeyInfo(key: KeyObject, passphrase: string): Asn1 {
  const salt = randomBytes(16);
  const iv = randomBytes(16);
  const secret = pbkdf2Sync(passphrase, salt, ROUNDS, 32, "sha256");
  const cipher = createCipheriv("aes-256-cbc", secret, iv);
  const plain = key.export({ type: "pkcs8", format: "der" });
  const encrypted = Buffer.concat([cipher.update(plain), cipher.final()]);
  const rounds = Buffer.from(ROUNDS.toString(16).padStart(6, "0"), "hex");
  const prf = sequence(oid(OID.hmacWithSha256), nullValue());
  const derivation = sequence(oid(OID.pbkdf2), sequence(octetString(salt), unsignedInteger(rounds), prf));
  const scheme = sequence(oid(OID.aes256Cbc), octetString(iv));
  const algorithm = sequence(oid(OID.pbes2), sequence(derivation, scheme));
  return sequence(algorithm, octetString(encrypted));
}

/** Whether a PEM text holds an encrypted key. */
export function isEncrypted(text: string): boolean {
  return /-----BEGIN (?:ENCRYPTED PRIVATE KEY|EC PRIVATE KEY-----\r?\nProc-Type: 4,ENCRYPTED)/.test(text);
}

/** Reads a private key, encrypted or not; undefined where it cannot be read. SECURITY: the parser's error may repeat the key. */
export function tryReadKey(text: string, passphrase: string | undefined): KeyObject | undefined {
  try {
    return createPrivateKey({ key: text, format: "pem", ...(passphrase === undefined ? {} : { passphrase }) });
  } catch {
    return undefined;
  }
}

/** PEM of some DER (RFC 7468). */
export function pemOf(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}
