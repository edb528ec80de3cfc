import type { EdgeCertificate } from "../../envoy/index.ts";
import type { Logger } from "../logger.ts";
import type { MonotonicClock } from "../monotonic-clock.ts";
import type { PolicyState } from "../policy-state.ts";
import { type EdgeCertificates, readEdgeCertificates, sameEdges } from "./edge-certificates.ts";

/** What keeping needs. */
export interface EdgeKeeperOptions {
  readonly state: PolicyState;
  readonly clock: MonotonicClock;
  readonly log: Logger;
}

/** The certificates of the public listeners of this node's workloads, by identity, as they were read last. */
export class EdgeKeeper {
  readonly #options: EdgeKeeperOptions;
  readonly #kept = new Map<string, EdgeCertificates>();

  constructor(options: EdgeKeeperOptions) {
    this.#options = options;
  }

  certificates(identity: string): ReadonlyMap<number, EdgeCertificate> {
    return this.#kept.get(identity)?.certificates ?? new Map();
  }

  problems(identity: string): readonly string[] {
    return this.#kept.get(identity)?.problems ?? [];
  }

  forget(identity: string): void {
    this.#kept.delete(identity);
  }

  /** Reads them anew; true where they have changed. */
  read(identity: string): boolean {
    const { clock, log, state } = this.#options;
    const before = this.#kept.get(identity);
    const now = readEdgeCertificates(state.view.set, identity, clock.now(), before);
    this.#kept.set(identity, now);
    if (before !== undefined && sameEdges(before, now)) return false;
    for (const problem of now.problems) {
      if (!before?.problems.includes(problem))
        log.error({ identity, error: problem }, "a public listener has no new certificate");
    }
    return true;
  }
}
