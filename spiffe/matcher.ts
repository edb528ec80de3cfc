import type { SpiffeId } from "./spiffe-id.ts";
import type { TrustDomain } from "./trust-domain.ts";

/** Tells whether an ID is one that is meant. */
export type SpiffeIdMatcher = (id: SpiffeId) => boolean;

/** Matches every ID. */
export function matchAny(): SpiffeIdMatcher {
  return () => true;
}

/** Matches exactly one ID. */
export function matchId(expected: SpiffeId): SpiffeIdMatcher {
  return (id) => id.equals(expected);
}

/** Matches any of the given IDs; with none given, matches nothing. */
export function matchOneOf(expected: readonly SpiffeId[]): SpiffeIdMatcher {
  const texts = new Set(expected.map(String));
  return (id) => texts.has(id.toString());
}

/** Matches every ID of one trust domain. */
export function matchMemberOf(trustDomain: TrustDomain): SpiffeIdMatcher {
  return (id) => id.trustDomain === trustDomain;
}
