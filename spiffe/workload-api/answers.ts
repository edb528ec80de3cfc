import { createPrivateKey, type KeyObject, type X509Certificate } from "node:crypto";
import { certificateFromDer } from "../certificate.ts";
import { excerpt } from "../excerpt.ts";
import { SpiffeError } from "../spiffe-error.ts";
import { parseJwtBundle, type TrustBundle } from "../trust-bundle.ts";
import { type TrustDomain, tryParseTrustDomain } from "../trust-domain.ts";
import { parseX509Svid, type X509Svid } from "../x509-svid.ts";
import type { JWTBundlesResponse, X509BundlesResponse, X509SVIDResponse } from "./gen/workloadapi.ts";

/** One identity of a workload. */
export interface HintedSvid extends X509Svid {
  /** What the operator says this identity is for; empty where nothing is said. */
  readonly hint: string;
}

/** Everything that FetchX509SVID said last. */
export interface X509Context {
  /** At least one; the first is the default identity. */
  readonly svids: readonly [HintedSvid, ...HintedSvid[]];
  /** The own trust domain's bundle and the federated ones. */
  readonly bundles: ReadonlyMap<TrustDomain, TrustBundle>;
}

const ID_PREFIX = "spiffe://";
const MAX_HINT_BYTES = 1024;

/** Reads an answer of FetchX509SVID; all of it must be sound. Throws `SpiffeError` `ERR_SPIFFE_ANSWER`. */
export function readX509Context(response: X509SVIDResponse): X509Context {
  return reading("an X.509-SVID", () => {
    const all = response.svids.map(readSvid);
    // Of two identities with one hint, the first counts.
    const svids = all.filter(({ hint }, at) => hint === "" || all.findIndex((one) => one.hint === hint) === at);
    const [first, ...others] = svids;
    if (first === undefined) throw new Error("there is no identity");
    const bundles = readX509Bundles(response.federatedBundles);
    for (const [at, { id }] of all.entries()) {
      addOwn(bundles, id.trustDomain, response.svids[at]?.bundle ?? new Uint8Array(0));
    }
    return { svids: [first, ...others], bundles };
  });
}

function readSvid(svid: X509SVIDResponse["svids"][number]): HintedSvid {
  if (Buffer.byteLength(svid.hint) > MAX_HINT_BYTES) throw new Error("a hint is longer than 1024 bytes");
  const read = parseX509Svid({
    chain: splitDer(svid.x509Svid).map((der) => new Uint8Array(der)),
    privateKey: readKey(svid.x509SvidKey),
  });
  if (read.id.toString() !== svid.spiffeId)
    throw new Error(`the certificate of ${excerpt(svid.spiffeId)} names another`);
  return Object.freeze({ ...read, hint: svid.hint });
}

function readKey(der: Uint8Array): KeyObject {
  try {
    return createPrivateKey({ key: Buffer.from(der), format: "der", type: "pkcs8" });
  } catch {
    // SECURITY: no cause and no excerpt, so that no part of a key reaches a log.
    throw new Error("a private key is not PKCS#8");
  }
}

function addOwn(bundles: Map<TrustDomain, TrustBundle>, trustDomain: TrustDomain, der: Uint8Array): void {
  bundles.set(trustDomain, { trustDomain, x509Authorities: readCertificates(der), jwtAuthorities: new Map() });
}

/** Reads an answer of FetchX509Bundles. Throws `SpiffeError` `ERR_SPIFFE_ANSWER`. */
export function readX509BundlesAnswer(response: X509BundlesResponse): ReadonlyMap<TrustDomain, TrustBundle> {
  return reading("an X.509 bundle", () => readX509Bundles(response.bundles));
}

function readX509Bundles(bundles: ReadonlyMap<string, Uint8Array>): Map<TrustDomain, TrustBundle> {
  const read = new Map<TrustDomain, TrustBundle>();
  for (const [name, der] of bundles) addOwn(read, trustDomainOf(name), der);
  return read;
}

/** Reads an answer of FetchJWTBundles. Throws `SpiffeError` `ERR_SPIFFE_ANSWER`. */
export function readJwtBundles(response: JWTBundlesResponse): ReadonlyMap<TrustDomain, TrustBundle> {
  return reading("a JWT bundle", () => {
    const bundles = [...response.bundles].map(([name, text]): [TrustDomain, TrustBundle] => {
      const trustDomain = trustDomainOf(name);
      return [trustDomain, parseJwtBundle(trustDomain, Buffer.from(text).toString("utf8"))];
    });
    return new Map(bundles);
  });
}

/** Bundles are named by the trust domain's SPIFFE ID. */
function trustDomainOf(name: string): TrustDomain {
  const read = tryParseTrustDomain(name.slice(ID_PREFIX.length));
  if (name.startsWith(ID_PREFIX) && read.ok) return read.trustDomain;
  throw new Error(`${excerpt(name)} is no SPIFFE ID of a trust domain`);
}

function readCertificates(der: Uint8Array): readonly X509Certificate[] {
  return splitDer(der).map(certificateFromDer);
}

/** Cuts DER sequences that stand one after the other; each is read strictly by whoever takes it. */
function splitDer(der: Uint8Array): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < der.length; ) {
    const end = at + sequenceBytes(der.subarray(at));
    parts.push(der.subarray(at, end));
    at = end;
  }
  return parts;
}

/** Length of the sequence that bytes begin with, header included. */
function sequenceBytes(der: Uint8Array): number {
  const [tag, first = 0] = der;
  const digits = first < 0x80 ? 0 : first & 0x7f;
  if (tag !== 0x30 || digits > 4 || first === 0x80) throw new Error("there is no certificate where one should be");
  const length = digits === 0 ? first : der.subarray(2, 2 + digits).reduce((sum, byte) => sum * 256 + byte, 0);
  const total = 2 + digits + length;
  if (total > der.length) throw new Error("a certificate is cut short");
  return total;
}

function reading<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new SpiffeError("ERR_SPIFFE_ANSWER", `the Workload API sent ${what} that cannot be read: ${why}`, { cause });
  }
}
