import asn1 from "node-forge/lib/asn1.js";
import {
  booleanOf,
  childrenOf,
  contentOf,
  type DerNode,
  malformed,
  naturalHexOf,
  oidOf,
  primitive,
  readDer,
} from "./der.ts";

const { Class, Type } = asn1;

/** Bits of the key usage extension, in their order (RFC 5280, section 4.2.1.3). */
export const KEY_USAGES = [
  "digitalSignature",
  "nonRepudiation",
  "keyEncipherment",
  "dataEncipherment",
  "keyAgreement",
  "keyCertSign",
  "cRLSign",
  "encipherOnly",
  "decipherOnly",
] as const;
export type KeyUsage = (typeof KEY_USAGES)[number];

/** Purposes that an SVID's extended key usage must both name, where it has one. */
export const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
export const CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";

const SUBJECT_ALT_NAME = "2.5.29.17";
const BASIC_CONSTRAINTS = "2.5.29.19";
const NAME_CONSTRAINTS = "2.5.29.30";
const KEY_USAGE = "2.5.29.15";
const EXTENDED_KEY_USAGE = "2.5.29.37";
const READ: ReadonlySet<string> = new Set([SUBJECT_ALT_NAME, BASIC_CONSTRAINTS, KEY_USAGE, EXTENDED_KEY_USAGE]);
const URI_NAME = 6;

/** What a certificate's extensions say, as far as the X.509-SVID profile and path validation ask. */
export interface Extensions {
  /** URI names in their order, one byte a character. */
  readonly uris: readonly string[];
  readonly subjectAltName?: { readonly critical: boolean };
  readonly isCa: boolean;
  /** How many intermediates may follow; absent means any number. */
  readonly pathLength?: number;
  readonly keyUsage?: { readonly critical: boolean; readonly usages: ReadonlySet<KeyUsage> };
  /** Object identifiers of the purposes. */
  readonly extendedKeyUsage?: readonly string[];
  readonly hasNameConstraints: boolean;
  /** Object identifiers of critical extensions that nothing in here reads. */
  readonly unreadCritical: readonly string[];
}

interface Extension {
  readonly critical: boolean;
  readonly value: string;
}

/** Reads the `extensions` element of a certificate (RFC 5280, section 4.2); throws as `malformed` does. */
export function readExtensions(list: DerNode | undefined): Extensions {
  const found = extensionsByOid(list);
  const san = found.get(SUBJECT_ALT_NAME);
  const usage = found.get(KEY_USAGE);
  const purposes = found.get(EXTENDED_KEY_USAGE);
  return {
    uris: san === undefined ? [] : readUris(san.value),
    ...(san !== undefined && { subjectAltName: { critical: san.critical } }),
    ...readBasicConstraints(found.get(BASIC_CONSTRAINTS)?.value),
    ...(usage !== undefined && { keyUsage: { critical: usage.critical, usages: readKeyUsage(usage.value) } }),
    ...(purposes !== undefined && { extendedKeyUsage: readPurposes(purposes.value) }),
    hasNameConstraints: found.has(NAME_CONSTRAINTS),
    unreadCritical: [...found].filter(([oid, { critical }]) => critical && !READ.has(oid)).map(([oid]) => oid),
  };
}

function extensionsByOid(list: DerNode | undefined): Map<string, Extension> {
  const found = new Map<string, Extension>();
  if (list === undefined) return found;
  for (const node of childrenOf(list, Type.SEQUENCE, "extensions")) {
    const parts = childrenOf(node, Type.SEQUENCE, "extension");
    const oid = oidOf(parts[0], "extension id");
    if (found.has(oid)) throw malformed(`extension ${oid} stands twice`);
    if (parts.length < 2 || parts.length > 3) throw malformed("extension has the wrong number of parts");
    const critical = parts.length === 3 && booleanOf(parts[1], "critical");
    found.set(oid, { critical, value: contentOf(parts.at(-1), Type.OCTETSTRING, "extension value") });
  }
  return found;
}

function readUris(value: string): string[] {
  const names = childrenOf(readDer(value), Type.SEQUENCE, "subject alternative names");
  if (names.some((name) => name.tagClass !== Class.CONTEXT_SPECIFIC)) throw malformed("name of an unknown kind");
  return names.filter((name) => name.type === URI_NAME).map((name) => primitive(name, "URI name"));
}

function readBasicConstraints(value: string | undefined): { isCa: boolean; pathLength?: number } {
  if (value === undefined) return { isCa: false };
  const parts = [...childrenOf(readDer(value), Type.SEQUENCE, "basic constraints")];
  const isCa = parts[0]?.type === Type.BOOLEAN && booleanOf(parts.shift(), "cA");
  const length = parts.shift();
  if (parts.length > 0) throw malformed("basic constraints have too many parts");
  if (length === undefined) return { isCa };
  const pathLength = Number.parseInt(naturalHexOf(length, "path length"), 16);
  return { isCa, pathLength };
}

function readKeyUsage(value: string): Set<KeyUsage> {
  const content = contentOf(readDer(value), Type.BITSTRING, "key usage");
  const unusedBits = content.charCodeAt(0);
  if (content.length < 1 || unusedBits > 7 || (content.length === 1 && unusedBits !== 0)) {
    throw malformed("key usage is no bit string");
  }
  const last = content.charCodeAt(content.length - 1);
  if (content.length > 1 && (last & ((1 << unusedBits) - 1)) !== 0) throw malformed("key usage has stray bits");
  const isSet = (bit: number): boolean => (content.charCodeAt(1 + (bit >> 3)) & (0x80 >> (bit & 7))) !== 0;
  return new Set(KEY_USAGES.filter((_, bit) => isSet(bit)));
}

function readPurposes(value: string): string[] {
  return childrenOf(readDer(value), Type.SEQUENCE, "extended key usage").map((node) => oidOf(node, "purpose"));
}
