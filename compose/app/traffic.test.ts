import { describe, expect, it } from "vitest";
import { startTraffic } from "./traffic.ts";

describe("startTraffic", () => {
  it("pauses after the round that is under way, and not before", async () => {
    let end: () => void = () => {};
    let rounds = 0;
    const round = (): Promise<void> => {
      rounds += 1;
      return new Promise((resolve) => {
        end = resolve;
      });
    };
    const traffic = startTraffic(round, 0, () => {});
    let paused = false;
    const pausing = traffic.pause().then(() => {
      paused = true;
    });
    await new Promise(setImmediate);
    expect([rounds, paused]).toEqual([1, false]);
    end();
    await pausing;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(rounds).toBe(1);
    traffic.resume();
    await expect.poll(() => rounds).toBe(2);
  });
});
