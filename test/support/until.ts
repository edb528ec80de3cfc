import { setTimeout as sleep } from "node:timers/promises";

/** Repeats until the value fits; throws with the last value when the deadline has passed. */
export async function until<T>(
  make: () => T | Promise<T>,
  fits: (value: T) => boolean,
  { deadlineMs = 10_000, what = "the condition" }: { readonly deadlineMs?: number; readonly what?: string } = {},
): Promise<T> {
  const end = performance.now() + deadlineMs;
  for (;;) {
    const value = await make();
    if (fits(value)) return value;
    if (performance.now() > end)
      throw new Error(`${what} did not come true within ${deadlineMs} ms; last: ${JSON.stringify(value)}`);
    await sleep(20);
  }
}
