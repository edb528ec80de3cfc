import type { ReasonCode } from "./reason-codes.ts";

export type Verdict = "allow" | "deny";

/** Where in the evaluation the decision fell. */
export type Phase = "intake" | "deny" | "allow" | "default" | "failure";

/**
 * How a denied client is answered: `forbidden` 403, `unauthenticated` 401 (a token is all that was lacking),
 * `unavailable` 503 (no-policy, stale-policy, unknown-destination, cannot-evaluate, internal-error).
 */
export type Outcome = "allowed" | "forbidden" | "unauthenticated" | "unavailable";

/** What the candidate set says of the same request, where one exists. */
export interface CandidateVerdict {
  readonly verdict: Verdict;
  readonly reason: ReasonCode;
  /** Line id, `<namespace>/<policy>/<rule>#<canonical text>`. */
  readonly line?: string;
}

/** One decision, the object that is returned, logged and explained. Frozen. */
export interface Decision {
  readonly id: string;
  /** What the sidecar is told. */
  readonly verdict: Verdict;
  /** The live set's own verdict; differs from `verdict` only where a workload in monitor relaxed a denial. */
  readonly evaluated: Verdict;
  readonly mode: "enforce" | "monitor";
  readonly phase: Phase;
  readonly outcome: Outcome;
  readonly reason: ReasonCode;
  /** Further detail for people, never sent to the caller: e.g. the path refusal reason, the isolation label. */
  readonly detail?: string;
  /** `<namespace>/<policy>` */
  readonly policy?: string;
  /** Rule name within the policy. */
  readonly rule?: string;
  /** Line id, `<namespace>/<policy>/<rule>#<canonical text>`. */
  readonly line?: string;
  readonly epoch: number;
  readonly revision: number;
  readonly candidate?: CandidateVerdict;
  /** Canonical path text; absent where it was refused or the request is a connection. */
  readonly path?: string;
  readonly destination: string;
  /** Absent for an anonymous caller. */
  readonly caller?: string;
  readonly tookMicros: number;
}
