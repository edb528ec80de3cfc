import type { NodeTrustReport, OpenStreamsReport } from "../../protocol/index.ts";
import { messageOf } from "../agent-error.ts";
import type { PolicyState } from "../policy-state.ts";
import type { AppliedReport, AuthorityClient } from "./authority-client.ts";
import type { Timers } from "./timers.ts";

const REPORT_MS = 30_000;

export interface ReporterOptions {
  /** Speaks with the agent's identity; undefined while there is none. */
  readonly client: () => Pick<AuthorityClient, "report"> | undefined;
  readonly state: PolicyState;
  /** How far the sidecars are with the trust bundle; nothing before there is one. */
  readonly trust: () => NodeTrustReport | undefined;
  /** What callers have open at the sidecars. */
  readonly open: () => OpenStreamsReport;
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
    const { client, failed, timers } = this.#options;
    while (!signal.aborted) {
      this.#now = new AbortController();
      const applied = this.#applied();
      if (applied !== undefined) {
        await client()
          ?.report(applied, signal)
          .catch((error: unknown) => {
            if (!signal.aborted) failed(error, messageOf(error));
          });
      }
      await timers.sleep(REPORT_MS, AbortSignal.any([signal, this.#now.signal]));
    }
  }

  #applied(): AppliedReport | undefined {
    const { open, state, trust } = this.#options;
    const { bundle } = state.view;
    const report = trust();
    if (bundle === undefined && report === undefined) return undefined;
    const { epoch, revision } = bundle ?? { epoch: 0, revision: 0 };
    return {
      epoch,
      revision,
      revocations: state.revocations.sequence,
      ...(report === undefined ? {} : { trust: report }),
      open: open(),
    };
  }
}
