/**
 * Runs work with a signal that aborts with the given one, or when `ms` milliseconds are over. The time runs for as long as the work
 * does, and keeps no process up by itself.
 *
 * INVARIANT: the timer holds what it aborts. A signal of `AbortSignal.timeout` inside `AbortSignal.any` is held by nothing, may be
 * collected as garbage, and then never aborts.
 */
export async function within<T>(
  signal: AbortSignal,
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const timer = setTimeout(() => over.abort(new DOMException("the time is up", "TimeoutError")), ms).unref();
  try {
    return await work(AbortSignal.any([signal, over.signal]));
  } finally {
    clearTimeout(timer);
  }
}
