import { setTimeout as sleep } from "node:timers/promises";

/** How long to go on, and what to say where that was in vain. */
interface Patience {
  readonly deadlineMs?: number;
  readonly what?: string;
}

/** Repeats until the value fits; throws with the last value when the deadline has passed. */
export function until<T, Fit extends T>(
  make: () => T | Promise<T>,
  fits: (value: T) => value is Fit,
  patience?: Patience,
): Promise<Fit>;
export function until<T>(make: () => T | Promise<T>, fits: (value: T) => boolean, patience?: Patience): Promise<T>;
export async function until<T>(
  make: () => T | Promise<T>,
  fits: (value: T) => boolean,
  { deadlineMs = 10_000, what = "the condition" }: Patience = {},
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

type There<Value> = Exclude<Value, false | null | undefined>;

/** Repeats until the value is another than false, null and undefined; throws when the deadline has passed. */
export function waitFor<Value>(what: string, make: () => Value | Promise<Value>): Promise<There<Value>> {
  return until(make, isThere, { deadlineMs: 15_000, what });
}

function isThere<Value>(value: Value): value is There<Value> {
  return value !== false && value !== null && value !== undefined;
}
