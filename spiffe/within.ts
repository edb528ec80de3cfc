/**
 * Runs work with a signal that aborts with the given one, or when `ms` milliseconds are over. The time runs for as long as the work
 * does, and keeps no process up by itself.
 *
 * INVARIANT: the timer holds the signal. One of `AbortSignal.timeout` inside `AbortSignal.any` is held by nothing, may be collected as
 * garbage, and then never aborts.
 */
export async function within<T>(
  signal: AbortSignal,
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const stop = (): void => over.abort(signal.reason);
  const timer = setTimeout(() => over.abort(new DOMException("the time is up", "TimeoutError")), ms).unref();
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  try {
    return await work(over.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", stop);
  }
}
