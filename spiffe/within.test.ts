import { once } from "node:events";
import { setImmediate } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, it } from "vitest";
import { within } from "./within.ts";

const never = new AbortController().signal;
const aborted = (signal: AbortSignal): Promise<unknown> =>
  once(signal, "abort").then(() => {
    throw signal.reason;
  });

it("ends the work when its time is over, also after garbage was collected", async () => {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  const work = within(never, 300, aborted);
  // What a weak reference has been made to or read by stays until the round of events is over.
  await setImmediate();
  if (typeof collect === "function") collect();
  else expect.unreachable("garbage cannot be collected here");
  await expect(work).rejects.toMatchObject({ name: "TimeoutError" });
});

it("ends the work with the signal that it was given, for its reason, also where that was aborted before", async () => {
  const asked = new AbortController();
  const work = within(asked.signal, 60_000, aborted);
  asked.abort(new Error("no longer wanted"));
  await expect(work).rejects.toThrow("no longer wanted");
  const seen = await within(asked.signal, 60_000, async (signal) => signal.aborted);
  expect(seen).toBe(true);
});

it("may run many at once with one signal, without a warning of listeners that leak", async () => {
  const warned: Error[] = [];
  const warn = (warning: Error): void => void warned.push(warning);
  process.on("warning", warn);
  const asked = new AbortController();
  const all = Array.from({ length: 50 }, () => within(asked.signal, 60_000, aborted));
  await setImmediate();
  asked.abort(new Error("no longer wanted"));
  for (const one of await Promise.allSettled(all))
    expect(one).toMatchObject({ reason: { message: "no longer wanted" } });
  process.removeListener("warning", warn);
  expect(warned).toEqual([]);
});

it("gives what the work gives", async () => {
  expect(await within(never, 60_000, async () => 42)).toBe(42);
});
