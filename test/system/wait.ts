import { setTimeout as delay } from "node:timers/promises";

/** Waits until `condition` gives a value other than false, null and undefined, and returns it; throws after the deadline. */
export async function waitFor<Value>(
  what: string,
  condition: () => Value | Promise<Value>,
  deadlineMs = 15_000,
): Promise<Exclude<Value, false | null | undefined>> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const value = await condition();
    if (isThere(value)) return value;
    if (Date.now() > end) throw new Error(`waited ${deadlineMs} ms in vain for ${what}`);
    await delay(20);
  }
}

function isThere<Value>(value: Value): value is Exclude<Value, false | null | undefined> {
  return value !== false && value !== null && value !== undefined;
}
