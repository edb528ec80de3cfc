import { createPublicKey, type KeyObject, randomBytes, sign, X509Certificate } from "node:crypto";
import { isIP } from "node:net";
import { KEY_USAGES, type KeyUsage } from "../extensions.ts";
import {
  bits,
  boolean,
  type Der,
  encode,
  integer,
  named,
  octets,
  oid,
  raw,
  sequence,
  set,
  tagged,
  time,
  utf8,
} from "./der-builder.ts";

/** A raw extension; `value` is the DER within the octet string. */
export interface RawExtension {
  readonly oid: string;
  readonly critical?: boolean;
  readonly value: Uint8Array;
}

/** Everything a test may want to say about a certificate; each field is written as told, sound or not. */
export interface CertificateFields {
  readonly uris: readonly string[];
  readonly dns: readonly string[];
  readonly ips: readonly string[];
  readonly sanCritical: boolean;
  /** `undefined` leaves the extension out. */
  readonly ca: boolean | undefined;
  readonly pathLength: number | undefined;
  /** `undefined` leaves the extension out. */
  readonly keyUsage: readonly KeyUsage[] | undefined;
  readonly keyUsageCritical: boolean;
  /** Names `serverAuth`, `clientAuth`, or dotted object identifiers; `undefined` leaves the extension out. */
  readonly extendedKeyUsage: readonly string[] | undefined;
  readonly extensions: readonly RawExtension[];
  /** Common name, or a whole name such as `/C=US/O=SPIRE`; `""` is the empty name. */
  readonly subject: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Hex of a positive number; after a `-`, of the integer's bytes as they are. */
  readonly serial: string;
  readonly digest: "sha256" | "sha384" | "sha1";
  readonly version: 1 | 2 | 3;
  /** DER of further fields between the public key and the extensions. */
  readonly extraFields?: readonly Uint8Array[];
}

const PURPOSES: ReadonlyMap<string, string> = new Map([
  ["serverAuth", "1.3.6.1.5.5.7.3.1"],
  ["clientAuth", "1.3.6.1.5.5.7.3.2"],
]);

const SIGNATURES: ReadonlyMap<string, string> = new Map([
  ["ec sha1", "1.2.840.10045.4.1"],
  ["ec sha256", "1.2.840.10045.4.3.2"],
  ["ec sha384", "1.2.840.10045.4.3.3"],
  ["rsa sha1", "1.2.840.113549.1.1.5"],
  ["rsa sha256", "1.2.840.113549.1.1.11"],
  ["rsa sha384", "1.2.840.113549.1.1.12"],
  ["ed25519 sha256", "1.3.101.112"],
]);

/** A random 128-bit serial, hex. */
export const randomSerial = (): string => randomBytes(16).toString("hex").replace(/^./, "4");

/** A distinguished name with one common name, or none. */
export function nameOf(name: string): Buffer {
  const parts = name.startsWith("/") ? name.slice(1).split("/") : name === "" ? [] : [`CN=${name}`];
  return encode(sequence(...parts.map(attribute)));
}

const ATTRIBUTES: ReadonlyMap<string, string> = new Map([
  ["CN", "2.5.4.3"],
  ["C", "2.5.4.6"],
  ["O", "2.5.4.10"],
]);

function attribute(part: string): Der {
  const [key = "", ...value] = part.split("=");
  return set(sequence(oid(ATTRIBUTES.get(key) ?? fail(`no attribute ${key}`)), utf8(value.join("="))));
}

/** Who signs. */
export interface Signer {
  readonly key: KeyObject;
  /** DER name, copied byte for byte. */
  readonly name: Uint8Array;
}

/** Makes and signs a certificate for a public key. */
export function buildCertificate(fields: CertificateFields, publicKey: KeyObject, signer: Signer): X509Certificate {
  const type = signer.key.asymmetricKeyType ?? "";
  const algorithm = sequence(oid(SIGNATURES.get(`${type} ${fields.digest}`) ?? fail(`no signature of kind ${type}`)));
  const extensions = extensionsOf(fields);
  const body = sequence(
    ...(fields.version === 1 ? [] : [tagged(0, integer(`0${fields.version - 1}`))]),
    integer(fields.serial),
    algorithm,
    raw(signer.name),
    sequence(time(fields.notBefore), time(fields.notAfter)),
    raw(nameOf(fields.subject)),
    raw(publicKey.export({ type: "spki", format: "der" })),
    ...(fields.extraFields ?? []).map(raw),
    ...(fields.version === 3 && extensions.length > 0 ? [tagged(3, sequence(...extensions))] : []),
  );
  const signature = sign(type === "ed25519" ? null : fields.digest, encode(body), signer.key);
  return new X509Certificate(encode(sequence(body, algorithm, bits(signature))));
}

function extensionsOf(fields: CertificateFields): Der[] {
  const { ca, keyUsage, extendedKeyUsage } = fields;
  const names = alternativeNames(fields);
  return [
    ...(ca === undefined ? [] : [extension("2.5.29.19", true, basicConstraints(ca, fields.pathLength))]),
    ...(keyUsage === undefined ? [] : [extension("2.5.29.15", fields.keyUsageCritical, keyUsageBits(keyUsage))]),
    ...(extendedKeyUsage === undefined ? [] : [extension("2.5.29.37", false, purposes(extendedKeyUsage))]),
    ...(names.length === 0 ? [] : [extension("2.5.29.17", fields.sanCritical, encode(sequence(...names)))]),
    ...fields.extensions.map((item) => extension(item.oid, item.critical ?? false, item.value)),
  ];
}

function extension(id: string, critical: boolean, value: Uint8Array): Der {
  return sequence(oid(id), ...(critical ? [boolean(true)] : []), octets(value));
}

function alternativeNames({ uris, dns, ips }: CertificateFields): Der[] {
  const text = (tag: number) => (name: string) => named(tag, Buffer.from(name, "latin1"));
  return [...uris.map(text(6)), ...dns.map(text(2)), ...ips.map((ip) => named(7, addressBytes(ip)))];
}

function addressBytes(ip: string): Uint8Array {
  if (isIP(ip) === 4) return Uint8Array.from(ip.split(".").map(Number));
  if (ip === "::1") return Uint8Array.from([...Array<number>(15).fill(0), 1]);
  return fail(`cannot write address ${ip}`);
}

function basicConstraints(ca: boolean, pathLength: number | undefined): Buffer {
  const length = pathLength === undefined ? [] : [integer(pathLength.toString(16))];
  return encode(sequence(...(ca ? [boolean(true)] : []), ...length));
}

function keyUsageBits(usages: readonly KeyUsage[]): Buffer {
  const positions = usages.map((usage) => KEY_USAGES.indexOf(usage));
  const bytes = new Uint8Array(positions.length === 0 ? 0 : (Math.max(...positions) >> 3) + 1);
  for (const at of positions) bytes[at >> 3] = (bytes[at >> 3] ?? 0) | (0x80 >> (at & 7));
  return encode(bits(bytes, positions.length === 0 ? 0 : 7 - (Math.max(...positions) & 7)));
}

const purposes = (names: readonly string[]): Buffer =>
  encode(sequence(...names.map((name) => oid(PURPOSES.get(name) ?? name))));

function fail(message: string): never {
  throw new TypeError(message);
}

/** The public half of a key pair's private key. */
export const publicKeyOf = (privateKey: KeyObject): KeyObject => createPublicKey(privateKey);
