/** One change, or one attempt at it. */
export interface AuditEntry {
  readonly at: Date;
  /** `local-admin`, `agent/<node>`, or who published from within the process. */
  readonly actor: string;
  readonly action:
    | "publish"
    | "request-approval"
    | "revoke"
    | "rotate"
    | "create-join-token"
    | "enrol"
    | "start"
    | "stop";
  readonly outcome: "done" | "refused";
  /** What it was about: a node, an identity, a serial, a revision. */
  readonly subject: string;
  /** Error code and message of a refusal, or the reason that was given. */
  readonly detail?: string;
}

/** Where changes are written down, in order, before they are acknowledged. */
export interface AuditTrail {
  record(entry: AuditEntry): Promise<void>;
  /** Newest first. */
  list(options?: { readonly limit?: number }): Promise<readonly AuditEntry[]>;
}

/** A trail in memory, for tests and for an authority without a store. */
export function memoryAuditTrail(): AuditTrail {
  const entries: AuditEntry[] = [];
  return {
    record: async (entry) => {
      entries.push(entry);
    },
    list: async ({ limit = 100 } = {}) => entries.slice(-limit).reverse(),
  };
}
