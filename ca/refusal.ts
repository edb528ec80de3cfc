import { printable } from "../policies/index.ts";
import type { TrustDomain } from "../spiffe/index.ts";
import { CaError, type CaErrorCode } from "./ca-error.ts";
import { appendToLedger, type LedgerNote } from "./ledger.ts";
import type { CaTransaction } from "./tables.ts";

/** Why something is not issued: what was asked for, and the nearest reason. */
export interface Refusal {
  readonly code: CaErrorCode;
  readonly identity: string;
  readonly node?: string;
  /** What the request rested on, e.g. `join-token 3f…`. */
  readonly evidence: string;
  readonly reason: string;
  readonly hint?: string | undefined;
}

/** An enrolment that was refused before any node stood for it. */
export type EnrolmentRefusal = Omit<Refusal, "code" | "hint">;

/** The error that the asker gets. */
export function errorOf(refusal: Refusal): CaError {
  return new CaError(refusal.code, refusal.reason, { hint: refusal.hint });
}

/** Writes refusals down. INVARIANT: the transaction commits before the asker is told. */
export async function recordRefusals(trx: CaTransaction, at: Date, refusals: readonly Refusal[]): Promise<void> {
  await appendToLedger(trx, at, refusals.map(refusalNote));
}

/** The identity that a node's agent has or would have, also for a name that makes no identity. */
export function agentIdText(trustDomain: TrustDomain, node: string): string {
  return `spiffe://${trustDomain}/cellwall/agent/${printable(node)}`;
}

/** The ledger's entry of a refusal. */
export function refusalNote(refusal: Refusal): LedgerNote {
  const { identity, node, evidence, reason } = refusal;
  return { kind: "refusal", identity, evidence, reason, ...(node === undefined ? {} : { node }) };
}
