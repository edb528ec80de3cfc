import type { Logger } from "../logger.ts";
import type { AgentMetrics } from "../metrics.ts";
import type { PolicyState } from "../policy-state.ts";
import type { Intake, Refusal } from "./refusal.ts";

/** A kind of document that is taken in. */
export type DocumentKind = "bundle" | "revocations";

/** Says what became of each document that was offered: in log, metrics and status. */
export class IntakeJournal {
  readonly #log: Logger;
  readonly #metrics: AgentMetrics;
  readonly #state: PolicyState;
  readonly #refused = new Map<DocumentKind, Refusal>();

  constructor(log: Logger, metrics: AgentMetrics, state: PolicyState) {
    this.#log = log;
    this.#metrics = metrics;
    this.#state = state;
  }

  /** The newest document of a kind, where it was refused. */
  refused(kind: DocumentKind): Refusal | undefined {
    return this.#refused.get(kind);
  }

  note(kind: DocumentKind, intake: Intake): void {
    switch (intake.kind) {
      case "refused":
        this.#noteRefusal(kind, intake.refusal);
        break;
      case "applied":
        this.#refused.delete(kind);
        this.#log.info(this.#inForce(kind), `${kind} in force`);
        break;
      case "unchanged":
        this.#refused.delete(kind);
        break;
    }
  }

  #noteRefusal(kind: DocumentKind, refusal: Refusal): void {
    const { detail, reason } = refusal;
    const before = this.#refused.get(kind);
    this.#refused.set(kind, refusal);
    this.#metrics.refused(kind, reason);
    if (before?.reason === reason && before.detail === detail) return;
    // Two contents under one number: somebody signs behind the authority's back, or restored it without a new epoch.
    const alarm = reason === "revision-conflict" ? { alarm: true } : {};
    this.#log.error({ reason, detail, ...alarm }, `the offered ${kind} is refused; what was in force stays`);
  }

  #inForce(kind: DocumentKind): object {
    const { bundle } = this.#state.view;
    if (kind === "revocations") return { sequence: this.#state.revocations.sequence };
    const destinations = bundle?.destinations.length;
    return { epoch: bundle?.epoch, revision: bundle?.revision, source: bundle?.source, destinations };
  }
}
