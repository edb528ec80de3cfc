import { messageOf } from "../agent-error.ts";
import type { Conditional, Fetched } from "./authority-client.ts";
import { backoffMs, type Timers } from "./timers.ts";

/** What became of a fetched document: `kept` until it changes, or `refused` and looked at again after one wait. */
export type Taken = "kept" | "refused";

/** One document that is followed by long poll. */
export interface FollowOptions<T> {
  readonly fetch: (conditional: Conditional) => Promise<Fetched<T>>;
  /** May throw for what another try can mend. */
  readonly take: (value: T) => Promise<Taken>;
  readonly answered: () => void;
  readonly failed: (error: unknown, message: string) => void;
  readonly timers: Timers;
  readonly signal: AbortSignal;
  readonly waitSeconds?: number;
}

/** `Prefer: wait`, in seconds. */
export const WAIT_SECONDS = 25;
/** An answer that comes unchanged before this did not wait, so the next question does. */
const MIN_ROUND_MS = 500;

/** Follows a document until the signal is aborted. Never rejects. */
export async function follow<T>(options: FollowOptions<T>): Promise<void> {
  const { timers, signal } = options;
  let etag: string | undefined;
  let lookAgain = false;
  let failures = 0;
  while (!signal.aborted) {
    const startedMs = performance.now();
    try {
      const fetched = await options.fetch({
        etag,
        waitSeconds: etag === undefined ? 0 : (options.waitSeconds ?? WAIT_SECONDS),
        signal,
      });
      options.answered();
      if (fetched.kind === "fetched") {
        lookAgain = (await options.take(fetched.value)) === "refused";
        etag = fetched.etag;
        // Without an ETag there is nothing to wait on.
        if (etag === undefined) await timers.sleep(1_000 + 500 * timers.random(), signal);
      } else {
        if (lookAgain) etag = undefined;
        const roundMs = performance.now() - startedMs;
        if (roundMs < MIN_ROUND_MS) await timers.sleep(MIN_ROUND_MS - roundMs, signal);
      }
      failures = 0;
    } catch (error) {
      if (signal.aborted) return;
      failures += 1;
      options.failed(error, messageOf(error));
      etag = undefined;
      await timers.sleep(backoffMs(failures, timers.random), signal);
    }
  }
}
