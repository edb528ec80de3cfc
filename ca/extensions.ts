import { isIP } from "node:net";
import { CaError } from "./ca-error.ts";
import { type Asn1, bitString, boolean, implicit, octetString, oid, sequence, toDer, unsignedInteger } from "./der.ts";
import { OID } from "./oids.ts";

/** Names beside the SPIFFE ID, for clients that look for a host's name. */
export interface HostNames {
  readonly dnsNames?: readonly string[];
  readonly ipAddresses?: readonly string[];
}

/** Extensions of a signing certificate (X509-SVID, section 4): critical use of the key, no digitalSignature. */
export function caExtensions(parts: {
  readonly uri: string;
  readonly keyId: Buffer;
  readonly issuerKeyId: Buffer;
  readonly pathLength?: number;
}): Asn1[] {
  return [
    extension(OID.basicConstraints, true, basicConstraints(parts.pathLength)),
    extension(OID.keyUsage, true, KEY_CERT_SIGN_AND_CRL_SIGN),
    ...keyIdentifiers(parts.keyId, parts.issuerKeyId),
    extension(OID.subjectAltName, false, sequence(uriName(parts.uri))),
  ];
}

/** Extensions of a leaf: digitalSignature alone, both extended uses, the names critical as the subject is empty. */
export function leafExtensions(parts: {
  readonly uri: string;
  readonly hosts: HostNames;
  readonly keyId: Buffer;
  readonly issuerKeyId: Buffer;
}): Asn1[] {
  const names = [uriName(parts.uri), ...hostNames(parts.hosts)];
  return [
    extension(OID.basicConstraints, true, sequence()),
    extension(OID.keyUsage, true, DIGITAL_SIGNATURE),
    extension(OID.extendedKeyUsage, false, sequence(oid(OID.serverAuth), oid(OID.clientAuth))),
    ...keyIdentifiers(parts.keyId, parts.issuerKeyId),
    extension(OID.subjectAltName, true, sequence(...names)),
  ];
}

/** Extensions of a list of revoked certificates (RFC 5280, section 5.2). */
export function listExtensions(parts: { readonly issuerKeyId: Buffer; readonly number: Buffer }): Asn1[] {
  return [
    extension(OID.authorityKeyIdentifier, false, sequence(implicit(0, parts.issuerKeyId))),
    extension(OID.crlNumber, false, unsignedInteger(parts.number)),
  ];
}

/** Bit 0. */
const DIGITAL_SIGNATURE = bitString(Buffer.from([0x80]), 7);
/** Bits 5 and 6. */
const KEY_CERT_SIGN_AND_CRL_SIGN = bitString(Buffer.from([0x06]), 1);

function extension(id: string, critical: boolean, value: Asn1): Asn1 {
  const flag = critical ? [boolean(true)] : [];
  return sequence(oid(id), ...flag, octetString(toDer(value)));
}

function basicConstraints(pathLength: number | undefined): Asn1 {
  const limit = pathLength === undefined ? [] : [unsignedInteger(Buffer.from([pathLength]))];
  return sequence(boolean(true), ...limit);
}

function keyIdentifiers(keyId: Buffer, issuerKeyId: Buffer): Asn1[] {
  return [
    extension(OID.subjectKeyIdentifier, false, octetString(keyId)),
    extension(OID.authorityKeyIdentifier, false, sequence(implicit(0, issuerKeyId))),
  ];
}

function uriName(uri: string): Asn1 {
  return implicit(6, Buffer.from(uri, "ascii"));
}

function hostNames(hosts: HostNames): Asn1[] {
  return [...(hosts.dnsNames ?? []).map(dnsName), ...(hosts.ipAddresses ?? []).map(ipName)];
}

const DNS_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;

function dnsName(name: string): Asn1 {
  if (!DNS_NAME.test(name)) throw new CaError("ERR_CA_PROFILE", `not a host name: \`${name.slice(0, 256)}\``);
  return implicit(2, Buffer.from(name, "ascii"));
}

function ipName(address: string): Asn1 {
  const kind = isIP(address);
  if (kind === 4) return implicit(7, Buffer.from(address.split(".").map(Number)));
  if (kind === 6 && !address.includes("%")) return implicit(7, ipv6Bytes(address));
  throw new CaError("ERR_CA_PROFILE", `not an IP address: \`${address.slice(0, 256)}\``);
}

/** The sixteen bytes of an address that `isIP` calls IPv6. */
function ipv6Bytes(address: string): Buffer {
  const [head = "", tail] = address.split("::");
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const zeros = new Array<number>(16 - before.length - after.length).fill(0);
  return Buffer.from([...before, ...zeros, ...after]);
}

function groups(text: string): number[] {
  if (text === "") return [];
  return text.split(":").flatMap((group) => {
    if (group.includes(".")) return group.split(".").map(Number);
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}
