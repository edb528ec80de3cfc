import { describe, expect, it } from "vitest";
import { startQueue } from "./queue.ts";

describe("queue", () => {
  it("runs one after another, to the end, in order, whatever fails", async () => {
    const queue = startQueue();
    const seen: string[] = [];
    const work = (name: string, fails = false) =>
      queue.run(async () => {
        seen.push(`${name} starts`);
        await new Promise((resolve) => setImmediate(resolve));
        seen.push(`${name} ends`);
        if (fails) throw new Error(name);
        return name;
      });
    const results = await Promise.allSettled([work("a"), work("b", true), work("c")]);
    expect(results.map((result) => result.status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(seen).toEqual(["a starts", "a ends", "b starts", "b ends", "c starts", "c ends"]);
  });

  it("is idle once everything given so far has ended", async () => {
    const queue = startQueue();
    let done = false;
    void queue.run(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      done = true;
    });
    await queue.idle();
    expect(done).toBe(true);
  });
});
