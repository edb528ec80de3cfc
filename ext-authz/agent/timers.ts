import { setTimeout as delay } from "node:timers/promises";

/** Waiting and chance, replaceable in tests. */
export interface Timers {
  /** Resolves after that time, or at once when the signal is aborted; never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
  /** A number in [0, 1). */
  random(): number;
}

export const systemTimers: Timers = {
  async sleep(ms, signal) {
    // Longer waits than a timer can hold are cut; whoever waits looks at the clock again.
    const cutMs = Math.min(Math.max(0, ms), 2 ** 31 - 1);
    await delay(cutMs, undefined, { signal, ref: false }).catch(() => undefined);
  },
  random: Math.random,
};

/** How to wait before the nth try (from 1): exponential with full jitter above a quarter, so that agents do not come all at once. */
export function backoffMs(
  attempt: number,
  random: () => number,
  options: { readonly baseMs?: number; readonly maxMs?: number } = {},
): number {
  const ceilingMs = Math.min(options.maxMs ?? 15_000, (options.baseMs ?? 250) * 2 ** Math.min(attempt - 1, 16));
  return ceilingMs * (0.25 + 0.75 * random());
}

/** When to renew a certificate: at half its life, give or take a twentieth of it; in the past where that is over. */
export function renewAt(
  certificate: { readonly notBefore: Date; readonly notAfter: Date },
  random: () => number,
): Date {
  const startMs = certificate.notBefore.getTime();
  const lifeMs = certificate.notAfter.getTime() - startMs;
  return new Date(startMs + lifeMs * (0.45 + 0.1 * random()));
}
