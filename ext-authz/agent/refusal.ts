/** Why a document or a workload is not used. A refused document leaves the last good one in force. */
export type RefusalReason =
  /** Its signature, its signer's identity or its signer's chain does not verify. */
  | "unknown-signer"
  /** Its format is neither this version's nor the one before. */
  | "unsupported-format"
  /** Verified, but its content is not what the format says, or cannot be compiled. */
  | "unreadable"
  | "other-trust-domain"
  | "expired-when-first-seen"
  /** Older than the one in force. */
  | "older-revision"
  /** The order of the one in force with another content: alarmed. */
  | "revision-conflict"
  /** A shard's bytes do not have the hash that the manifest names. */
  | "tampered-shard"
  /** Two workloads on this node would share a uid. */
  | "duplicate-uid"
  /** The agent may not give sockets to that uid. */
  | "foreign-uid"
  /** The workload's sockets could not be opened. */
  | "sockets";

export interface Refusal {
  readonly reason: RefusalReason;
  readonly detail: string;
  readonly at: Date;
}

/** What became of a document that was offered. */
export type Intake =
  | { readonly kind: "applied" }
  | { readonly kind: "unchanged" }
  | { readonly kind: "refused"; readonly refusal: Refusal };
