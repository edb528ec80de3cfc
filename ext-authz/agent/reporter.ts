import { messageOf } from "../agent-error.ts";
import type { PolicyState } from "../policy-state.ts";
import type { AuthorityClient } from "./authority-client.ts";
import type { Timers } from "./timers.ts";

const REPORT_MS = 30_000;

export interface ReporterOptions {
  /** Speaks with the agent's identity; undefined while there is none. */
  readonly client: () => Pick<AuthorityClient, "report"> | undefined;
  readonly state: PolicyState;
  readonly timers: Timers;
  readonly failed: (error: unknown, message: string) => void;
}

/** Tells the authority what is in force on this node. */
export class Reporter {
  readonly #options: ReporterOptions;
  #now = new AbortController();

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  /** Something changed: reports at once. */
  changed(): void {
    this.#now.abort();
  }

  /** Reports after each change and every half minute, until the signal is aborted. Never rejects. */
  async keep(signal: AbortSignal): Promise<void> {
    const { client, failed, state, timers } = this.#options;
    while (!signal.aborted) {
      this.#now = new AbortController();
      const { bundle } = state.view;
      if (bundle !== undefined) {
        const applied = { epoch: bundle.epoch, revision: bundle.revision, revocations: state.revocations.sequence };
        await client()
          ?.report(applied, signal)
          .catch((error: unknown) => {
            if (!signal.aborted) failed(error, messageOf(error));
          });
      }
      await timers.sleep(REPORT_MS, AbortSignal.any([signal, this.#now.signal]));
    }
  }
}
