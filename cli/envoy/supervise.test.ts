import { describe, expect, it } from "vitest";
import type { EnvoyExit, RunningEnvoy } from "../../envoy/index.ts";
import { until } from "../testing/captured-io.ts";
import { supervise } from "./supervise.ts";

/** Stands for Envoy: ends when told. */
function fakeEnvoys() {
  const running: { end: (exit: Partial<EnvoyExit>) => void; stopped: number }[] = [];
  const start = async (): Promise<RunningEnvoy> => {
    let end: (exit: Partial<EnvoyExit>) => void = () => {};
    const exited = new Promise<EnvoyExit>((resolve) => {
      end = (exit) => resolve({ code: 1, signal: null, lastWords: "", ...exit });
    });
    const entry = { end, stopped: 0 };
    running.push(entry);
    const stop = async (): Promise<EnvoyExit> => {
      entry.stopped += 1;
      end({ code: null, signal: "SIGTERM" });
      return exited;
    };
    return { pid: running.length, exited, ready: async () => {}, stop };
  };
  return { running, start };
}

describe("supervise", () => {
  function supervised(now: () => number = () => 0) {
    const envoys = fakeEnvoys();
    const stop = new AbortController();
    const delays: number[] = [];
    const done = supervise({
      start: envoys.start,
      signal: stop.signal,
      started: () => {},
      ended: (_exit, againInMs) => delays.push(againInMs),
      now,
      firstDelayMs: 1,
    });
    return { ...envoys, stop, delays, done };
  }

  it("starts it again when it ends, later each time it ends quickly", async () => {
    const { running, delays, stop, done } = supervised();
    for (let start = 1; start <= 4; start += 1) {
      await until(`start ${start}`, () => running.length === start);
      running[start - 1]?.end({});
    }
    await until("start 5", () => running.length === 5);
    stop.abort();
    await done;
    expect(delays).toEqual([1, 2, 4, 8]);
  });

  it("begins anew after a run that went well", async () => {
    let at = 0;
    const { running, delays, stop, done } = supervised(() => at);
    await until("the first start", () => running.length === 1);
    running[0]?.end({});
    await until("the second start", () => running.length === 2);
    at += 120_000;
    running[1]?.end({});
    await until("the third start", () => running.length === 3);
    stop.abort();
    await done;
    expect(delays).toEqual([1, 1]);
  });

  it("stops it when asked to, and starts none after that", async () => {
    const { running, stop, done, delays } = supervised();
    await until("the start", () => running.length === 1);
    stop.abort();
    await done;
    expect([running.length, running[0]?.stopped, delays]).toEqual([1, 1, []]);
  });

  it("rejects where it cannot be started", async () => {
    const start = async (): Promise<RunningEnvoy> => {
      throw new Error("no such file");
    };
    const { signal } = new AbortController();
    await expect(supervise({ start, signal, started: () => {}, ended: () => {} })).rejects.toThrow("no such file");
  });
});
