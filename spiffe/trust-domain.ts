import { refuseTrustDomain, type ScanRefusal, scanId } from "./scan.ts";
import { errorOf } from "./spiffe-error.ts";

/** A valid trust domain name, e.g. `shop.example`; built only by `parseTrustDomain` (SPIFFE-ID, section 2.1). */
export type TrustDomain = string & { readonly __trustDomain: unique symbol };

/** A trust domain name, or why the text is none. */
export type TrustDomainResult = { readonly ok: true; readonly trustDomain: TrustDomain } | ScanRefusal;

/**
 * Reads a trust domain name, or the name within a SPIFFE ID (`spiffe://shop.example/web` → `shop.example`).
 * Refuses with the codes of `SpiffeIdErrorCode`.
 */
export function tryParseTrustDomain(text: string): TrustDomainResult {
  const scanned = text.includes(":/") ? scanId(text) : (refuseTrustDomain(text) ?? { ok: true, trustDomain: text });
  // INVARIANT: the only place that makes a TrustDomain; the scanner has accepted every character of it.
  return scanned.ok ? { ok: true, trustDomain: scanned.trustDomain as TrustDomain } : scanned;
}

/** As `tryParseTrustDomain`, throwing `SpiffeError` with the same codes. */
export function parseTrustDomain(text: string): TrustDomain {
  const result = tryParseTrustDomain(text);
  if (!result.ok) throw errorOf(result);
  return result.trustDomain;
}
