import type { NodeWorkloads } from "../../protocol/index.ts";
import {
  certificatesFromPem,
  formatTrustBundle,
  parseTrustBundle,
  parseTrustBundleMap,
  type TrustBundle,
  type TrustDomain,
} from "../../spiffe/index.ts";

/** Where the bundle of another authority is. */
export type BundleLocation = NonNullable<NodeWorkloads["externalBundle"]>;

/** What the bundle's reading came to. */
export type ReadBundle =
  | { readonly ok: true; readonly bundle: TrustBundle }
  | { readonly ok: false; readonly why: string };

const NO_KEYS: TrustBundle["jwtAuthorities"] = new Map();

/**
 * Reads a trust bundle as other authorities keep it: PEM certificates (Istio's `root-cert.pem`), a SPIFFE bundle document, or a
 * map of them with the trust domain's own. Never throws; a bundle without a CA's certificate is none.
 */
export function readExternalBundle(trustDomain: TrustDomain, text: string): ReadBundle {
  try {
    return checked(text.trimStart().startsWith("{") ? fromDocument(trustDomain, text) : fromPem(trustDomain, text));
  } catch (error) {
    return { ok: false, why: error instanceof Error ? error.message : String(error) };
  }
}

/** Judges a bundle however it came. */
export function checked(bundle: TrustBundle | undefined): ReadBundle {
  if (bundle === undefined) return { ok: false, why: "it holds no bundle of the mesh's trust domain" };
  if (bundle.x509Authorities.length === 0) return { ok: false, why: "it holds no certificate" };
  // SECURITY: whatever is in a bundle vouches for every workload; a workload's own certificate must not.
  const leaf = bundle.x509Authorities.find((certificate) => !certificate.ca);
  if (leaf !== undefined)
    return { ok: false, why: `the certificate ${leaf.serialNumber} in it is no CA's certificate` };
  return { ok: true, bundle };
}

function fromPem(trustDomain: TrustDomain, text: string): TrustBundle {
  return Object.freeze({ trustDomain, x509Authorities: certificatesFromPem(text), jwtAuthorities: NO_KEYS });
}

function fromDocument(trustDomain: TrustDomain, text: string): TrustBundle | undefined {
  const document: unknown = JSON.parse(text);
  const isMap = typeof document === "object" && document !== null && "trust_domains" in document;
  return isMap ? parseTrustBundleMap(text).get(trustDomain) : parseTrustBundle(trustDomain, text);
}

/** `file /etc/certs/root-cert.pem`, for logs and status. */
export function locationText(location: BundleLocation): string {
  if ("file" in location) return `file ${location.file}`;
  return "url" in location ? `url ${location.url}` : `workload api ${location.workloadApi}`;
}

/** Whether two bundles hold the same. */
export function sameBundle(a: TrustBundle | undefined, b: TrustBundle | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a === b || formatTrustBundle(a) === formatTrustBundle(b);
}
