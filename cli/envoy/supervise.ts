import { setTimeout as delay } from "node:timers/promises";
import type { EnvoyExit, RunningEnvoy } from "../../envoy/index.ts";

/** What to keep running. */
export interface Supervision {
  start(): Promise<RunningEnvoy>;
  /** Ends it, and the waiting between two starts. */
  readonly signal: AbortSignal;
  /** Told of each start, and of each end that nobody asked for. */
  started(envoy: RunningEnvoy): void;
  ended(exit: EnvoyExit, againInMs: number): void;
  /** Milliseconds, of a clock that never runs back. */
  readonly now?: () => number;
  readonly firstDelayMs?: number;
}

const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 30_000;
/** An Envoy that ran this long was well: the next start comes soon again. */
const WELL_AFTER_MS = 60_000;

/**
 * Keeps an Envoy running until the signal fires: it is started again when it ends, after a pause that doubles with each quick end, up to
 * half a minute. Rejects where it cannot be started at all the first time.
 */
export async function supervise(supervision: Supervision): Promise<void> {
  const { signal, now = () => performance.now(), firstDelayMs = FIRST_DELAY_MS } = supervision;
  let delayMs = firstDelayMs;
  while (!signal.aborted) {
    const startedAt = now();
    const exit = await runOnce(supervision);
    if (signal.aborted) return;
    delayMs = now() - startedAt >= WELL_AFTER_MS ? firstDelayMs : delayMs;
    supervision.ended(exit, delayMs);
    await delay(delayMs, undefined, { signal }).catch(() => undefined);
    delayMs = Math.min(delayMs * 2, MAX_DELAY_MS);
  }
}

async function runOnce({ start, signal, started }: Supervision): Promise<EnvoyExit> {
  const envoy = await start();
  const stop = (): void => void envoy.stop();
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  started(envoy);
  try {
    return await envoy.exited;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}
