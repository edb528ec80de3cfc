import type { Logger } from "../logger.ts";
import type { MonotonicClock } from "../monotonic-clock.ts";
import type { PolicyState } from "../policy-state.ts";
import { saveClockFloor } from "./clock-file.ts";
import type { NetworkChecks } from "./network-checks.ts";
import type { ServedWorkloads } from "./served-workloads.ts";
import type { StateDir } from "./state-dir.ts";
import type { SvidKeeper } from "./svid-keeper.ts";
import type { Timers } from "./timers.ts";
import type { TrustStore } from "./trust-store.ts";

const TICK_MS = 5_000;
const CLOCK_SAVE_MS = 30_000;

/** What the upkeep looks at, and whom it tells. */
export interface UpkeepParts {
  readonly clock: MonotonicClock;
  readonly files: StateDir;
  readonly keeper: Pick<SvidKeeper, "reconsider">;
  readonly log: Logger;
  readonly network: Pick<NetworkChecks, "refresh">;
  readonly served: Pick<ServedWorkloads, "refreshEdges" | "refreshSecrets">;
  readonly state: Pick<PolicyState, "freshness">;
  readonly timers: Timers;
  readonly trust: Pick<TrustStore, "endLists">;
}

/** What time alone changes in an agent: policies and revocation lists end, files of certificates are replaced. */
export class Upkeep {
  readonly #parts: UpkeepParts;
  #freshness = "none";

  constructor(parts: UpkeepParts) {
    this.#parts = parts;
  }

  /** Looks every few seconds, and keeps the clock on disk; resolves when told to stop. */
  async keep(signal: AbortSignal): Promise<void> {
    const { clock, files, log, network, served, timers } = this.#parts;
    let savedMs = clock.nowMs();
    while (!signal.aborted) {
      const nowMs = clock.nowMs();
      this.#lookAtPolicy(nowMs);
      this.endLists();
      served.refreshEdges();
      network.refresh();
      if (nowMs - savedMs >= CLOCK_SAVE_MS) {
        savedMs = nowMs;
        saveClockFloor(files, clock.now(), log);
      }
      await timers.sleep(TICK_MS, signal);
    }
  }

  /** Goes on without revocation lists that have ended: a sidecar would refuse everybody on them. */
  endLists(): void {
    const { clock, keeper, log, served, trust } = this.#parts;
    if (!trust.endLists(clock.now())) return;
    log.warn({}, "the revocation lists end and the authority has given no new ones: sidecars go on without lists");
    keeper.reconsider();
    served.refreshSecrets();
  }

  #lookAtPolicy(nowMs: number): void {
    const { log, served, state } = this.#parts;
    const freshness = state.freshness(nowMs);
    if (freshness === this.#freshness) return;
    this.#freshness = freshness;
    if (freshness === "expired" || freshness === "stale") log.warn({ state: freshness }, `the policy is ${freshness}`);
    served.refreshSecrets();
  }
}
