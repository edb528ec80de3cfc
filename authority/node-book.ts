import type { OpenStreamsReport } from "../protocol/index.ts";

/** What an agent reports of itself: what it has applied. */
export interface NodeReport {
  readonly epoch: number;
  readonly revision: number;
  readonly revocations: number;
}

/** What is known of one node. */
export interface NodeEntry {
  readonly node: string;
  readonly certificateNotAfter?: Date;
  readonly lastSeen?: Date;
  readonly report?: NodeReport;
  /** What callers had open there. */
  readonly told?: { readonly at: Date; readonly open: OpenStreamsReport };
}

/** What the authority has seen of its agents since it started: who called, when, and what it said to have applied. */
export class NodeBook {
  readonly #entries = new Map<string, NodeEntry>();

  /** A node's agent called, or was issued a certificate. */
  seen(node: string, at: Date, certificateNotAfter: Date): void {
    this.#entries.set(node, { ...this.#entries.get(node), node, lastSeen: at, certificateNotAfter });
  }

  /** An agent said what it has applied. */
  reported(node: string, report: NodeReport, told?: NodeEntry["told"]): void {
    const known = { ...this.#entries.get(node), node, report };
    this.#entries.set(node, told === undefined ? known : { ...known, told });
  }

  /** Known from earlier, e.g. from the ledger; never overwrites what was seen since. */
  remembered(node: string, certificateNotAfter: Date): void {
    if (!this.#entries.has(node)) this.#entries.set(node, { node, certificateNotAfter });
  }

  get(node: string): NodeEntry | undefined {
    return this.#entries.get(node);
  }

  /** All nodes, by name. */
  all(): readonly NodeEntry[] {
    return [...this.#entries.values()].sort((a, b) => (a.node < b.node ? -1 : 1));
  }
}
