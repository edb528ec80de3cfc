import type { SpiffeId } from "../spiffe-id.ts";
import type { WorkloadStateSource } from "./state.ts";

/** A JWT-SVID, or why there is none: `denied` is for good, `unavailable` passes. */
export type JwtSvidIssue =
  | { readonly ok: true; readonly token: string }
  | { readonly ok: false; readonly kind: "denied" | "unavailable" };

/** Whom a Workload API serves, and from what. */
export interface WorkloadApiProvider extends WorkloadStateSource {
  /** A token of that identity for exactly these audiences. Never rejects. Without it the JWT methods are not served. */
  readonly issueJwtSvid?: (id: SpiffeId, audience: readonly string[], signal: AbortSignal) => Promise<JwtSvidIssue>;
  readonly now: () => Date;
  /** Claims that `ValidateJWTSVID` tells of tokens of other trust domains, beside the registered ones. */
  readonly foreignClaims?: readonly string[];
  /** How long a call waits for an identity that is on its way before it is told to come back, milliseconds; 2,000 without it. */
  readonly patienceMs?: number;
}
