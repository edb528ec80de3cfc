import { createHash, createHmac, type KeyObject, randomBytes, type X509Certificate } from "node:crypto";
import forge from "node-forge";
import { CaError } from "./ca-error.ts";
import {
  type Asn1,
  bmpString,
  explicit,
  nullValue,
  octetString,
  oid,
  sequence,
  set,
  toDer,
  unsignedInteger,
} from "./der.ts";
import { encryptedKeyInfo } from "./encrypted-key.ts";

/** What goes into a PKCS#12 file. */
export interface Pkcs12 {
  /** A key with its certificate and those above it; absent for a file of anchors alone. */
  readonly identity?: { readonly key: KeyObject; readonly chain: readonly X509Certificate[] };
  /** Anchors; Java takes them as trusted. */
  readonly trusted: readonly X509Certificate[];
  readonly friendlyName: string;
  readonly passphrase: string;
}

/** Each one is JavaScript. */
const ROUNDS = 10_000;
const OID = {
  data: "1.2.840.113549.1.7.1",
  shroudedKeyBag: "1.2.840.113549.1.12.10.1.2",
  certBag: "1.2.840.113549.1.12.10.1.3",
  x509Certificate: "1.2.840.113549.1.9.22.1",
  friendlyName: "1.2.840.113549.1.9.20",
  localKeyId: "1.2.840.113549.1.9.21",
  javaTrustedKeyUsage: "2.16.840.1.113894.746875.1.1",
  anyExtendedKeyUsage: "2.5.29.37.0",
  sha256: "2.16.840.1.101.3.4.2.1",
} as const;

/**
 * A PKCS#12 file (RFC 7292) that `openssl pkcs12` and `keytool` read: the key by PBES2 with AES-256, certificates in the clear,
 * HMAC-SHA256 over all. Throws `ERR_CA_EXPORT` for a passphrase that is too short.
 */
export function pkcs12({ friendlyName, identity, passphrase, trusted }: Pkcs12): Buffer {
  if (passphrase.length < 12) {
    throw new CaError("ERR_CA_EXPORT", "a passphrase of fewer than 12 characters protects nothing", {
      hint: "make one: openssl rand -base64 24",
    });
  }
  const [leaf] = identity?.chain ?? [];
  const keyId = leaf === undefined ? undefined : createHash("sha1").update(leaf.raw).digest();
  const own = (certificate: X509Certificate, at: number) =>
    certBag(certificate, at === 0 ? [named(friendlyName), ...(keyId === undefined ? [] : [localKey(keyId)])] : []);
  const certificates = [
    ...(identity?.chain ?? []).map(own),
    ...trusted.map((certificate, at) => certBag(certificate, [named(`${friendlyName} anchor ${at + 1}`), TRUSTED])),
  ];
  const keys =
    identity === undefined || keyId === undefined
      ? []
      : [keyBag(identity.key, passphrase, [named(friendlyName), localKey(keyId)])];
  const contents = [certificates, keys]
    .filter((bags) => bags.length > 0)
    .map((bags) => dataOf(toDer(sequence(...bags))));
  const safe = toDer(sequence(...contents));
  return toDer(sequence(unsignedInteger(Buffer.from([3])), dataOf(safe), macOf(safe, passphrase)));
}

function keyBag(key: KeyObject, passphrase: string, attributes: readonly Asn1[]): Asn1 {
  return sequence(oid(OID.shroudedKeyBag), explicit(0, encryptedKeyInfo(key, passphrase)), set(...attributes));
}

function certBag({ raw }: X509Certificate, attributes: readonly Asn1[]): Asn1 {
  const value = sequence(oid(OID.x509Certificate), explicit(0, octetString(raw)));
  return sequence(oid(OID.certBag), explicit(0, value), ...(attributes.length === 0 ? [] : [set(...attributes)]));
}

function named(name: string): Asn1 {
  return sequence(oid(OID.friendlyName), set(bmpString(name)));
}

function localKey(id: Buffer): Asn1 {
  return sequence(oid(OID.localKeyId), set(octetString(id)));
}

/** Without it Java lists a certificate and trusts it for nothing. */
const TRUSTED: Asn1 = sequence(oid(OID.javaTrustedKeyUsage), set(oid(OID.anyExtendedKeyUsage)));

function dataOf(bytes: Buffer): Asn1 {
  return sequence(oid(OID.data), explicit(0, octetString(bytes)));
}

/** RFC 7292, appendix B: the key derivation of its own, which only forge has; the MAC is Node's. */
function macOf(bytes: Buffer, passphrase: string): Asn1 {
  const salt = randomBytes(16);
  const derived = forge.pkcs12.generateKey(
    passphrase,
    forge.util.createBuffer(salt.toString("latin1")),
    3,
    ROUNDS,
    32,
    forge.md.sha256.create(),
  );
  const mac = createHmac("sha256", Buffer.from(derived.getBytes(), "latin1")).update(bytes).digest();
  const digest = sequence(sequence(oid(OID.sha256), nullValue()), octetString(mac));
  return sequence(digest, octetString(salt), unsignedInteger(Buffer.from([ROUNDS >> 8, ROUNDS & 0xff])));
}
