import { setTimeout as sleep } from "node:timers/promises";

/** Repeats until the result fits or the deadline has passed; the last result is returned either way. */
export async function until<T>(
  make: () => T | Promise<T>,
  fits: (value: T) => boolean,
  deadlineMs: number,
): Promise<T> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const value = await make();
    if (fits(value) || performance.now() > end) return value;
    await sleep(20);
  }
}
