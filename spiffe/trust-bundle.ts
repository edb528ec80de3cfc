import type { KeyObject, X509Certificate } from "node:crypto";
import type { TrustDomain } from "./trust-domain.ts";

/**
 * The keys that vouch for one trust domain (SPIFFE Trust Domain and Bundle, section 4).
 *
 * SECURITY: a bundle always carries its trust domain, and bundles of different ones are never merged (B-6).
 */
export interface TrustBundle {
  readonly trustDomain: TrustDomain;
  readonly x509Authorities: readonly X509Certificate[];
  /** By key id. */
  readonly jwtAuthorities: ReadonlyMap<string, KeyObject>;
  /** Grows with every change of content; up to 64 bits and beyond. */
  readonly sequence?: bigint;
  readonly refreshHintSeconds?: number;
}
