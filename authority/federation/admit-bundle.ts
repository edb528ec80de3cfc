import { formatTrustBundle, type TrustBundle } from "../../spiffe/index.ts";

/** What becomes of a bundle that an endpoint gave. */
export type BundleIntake =
  | { readonly kind: "same" }
  | { readonly kind: "newer" }
  | { readonly kind: "refused"; readonly reason: string };

/**
 * Whether a bundle follows the one that is known (SPIFFE Trust Domain and Bundle, section 4.1.1).
 *
 * SECURITY: a sequence never goes back, vanishes, or stands over other keys: who can replay or alter one answer must not
 * bring a key back that was withdrawn.
 */
export function admitBundle(known: TrustBundle | undefined, next: TrustBundle): BundleIntake {
  if (known === undefined) return { kind: "newer" };
  const same = formatTrustBundle(known) === formatTrustBundle(next);
  if (same) return { kind: "same" };
  if (known.sequence === undefined) return { kind: "newer" };
  if (next.sequence === undefined) return refused(`it has no sequence, and ${known.sequence} is in use`);
  if (next.sequence < known.sequence)
    return refused(`its sequence ${next.sequence} is older than ${known.sequence}, which is in use`);
  if (next.sequence > known.sequence || sameKeys(known, next)) return { kind: "newer" };
  return refused(`its keys have changed and its sequence ${next.sequence} has not`);
}

function sameKeys(known: TrustBundle, next: TrustBundle): boolean {
  const keys = ({ trustDomain, x509Authorities, jwtAuthorities }: TrustBundle): string =>
    formatTrustBundle({ trustDomain, x509Authorities, jwtAuthorities });
  return keys(known) === keys(next);
}

function refused(reason: string): BundleIntake {
  return { kind: "refused", reason };
}
