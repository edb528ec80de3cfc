import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { until } from "../testing/capture.ts";
import type { Conditional, Fetched } from "./authority-client.ts";
import { type FollowOptions, follow } from "./follow.ts";
import type { Timers } from "./timers.ts";

let stop = new AbortController();
let slept: number[] = [];
let asked: Conditional[] = [];
beforeEach(() => {
  stop = new AbortController();
  slept = [];
  asked = [];
});
afterEach(() => stop.abort());

const timers: Timers = {
  async sleep(ms) {
    slept.push(ms);
    await new Promise((resolve) => setImmediate(resolve));
  },
  random: () => 0.999999,
};

/** Plays one answer after the other; stops after the last. */
function play(
  answers: readonly (() => Fetched<string> | Promise<Fetched<string>>)[],
  take: FollowOptions<string>["take"] = async () => "kept",
) {
  const taken: string[] = [];
  const failures: string[] = [];
  const done = follow<string>({
    fetch: async (conditional) => {
      asked.push(conditional);
      const answer = answers[asked.length - 1];
      if (answer === undefined) {
        stop.abort();
        return { kind: "unchanged" };
      }
      return await answer();
    },
    take: async (value) => {
      taken.push(value);
      return await take(value);
    },
    answered: () => undefined,
    failed: (_error, message) => failures.push(message),
    timers,
    signal: stop.signal,
  });
  return { done, taken, failures };
}

const fetched =
  (value: string, etag = `"${value}"`) =>
  () =>
    ({ kind: "fetched", value, etag }) as const;
const unchanged = () => ({ kind: "unchanged" }) as const;
const broken = (message: string) => () => Promise.reject(new Error(message));

describe("follow", () => {
  it("asks at once first, then waits for a change of what it has", async () => {
    const { done, taken } = play([fetched("a"), fetched("b"), unchanged]);
    await done;
    expect(taken).toEqual(["a", "b"]);
    expect(asked.map(({ etag, waitSeconds }) => [etag, waitSeconds])).toEqual([
      [undefined, 0],
      ['"a"', 25],
      ['"b"', 25],
      ['"b"', 25],
    ]);
  });

  it("backs off further with each failure, asks for everything afterwards, and starts over after a success", async () => {
    const { done, failures } = play([fetched("a"), broken("one"), broken("two"), fetched("a"), broken("three")]);
    await done;
    expect(failures).toEqual(["one", "two", "three"]);
    expect(slept.map(Math.round).slice(0, 3)).toEqual([250, 500, 250]);
    expect(asked.map(({ etag }) => etag)).toEqual([undefined, '"a"', undefined, undefined, '"a"', undefined]);
  });

  it("backs off further when what it fetches cannot be taken, time after time", async () => {
    const { done, failures } = play([fetched("a"), fetched("a"), fetched("a")], () =>
      Promise.reject(new Error("no shard")),
    );
    await done;
    expect(failures).toHaveLength(3);
    expect(slept.map(Math.round).slice(0, 3)).toEqual([250, 500, 1000]);
  });

  it("looks at a refused document again after one wait", async () => {
    const { done, taken } = play([fetched("bad"), unchanged, fetched("bad")], async () => "refused");
    await done;
    expect(taken).toEqual(["bad", "bad"]);
    expect(asked.slice(0, 3).map(({ etag }) => etag)).toEqual([undefined, '"bad"', undefined]);
  });

  it("does not spin on a server that does not wait", async () => {
    const { done } = play([fetched("a"), unchanged, unchanged]);
    await done;
    expect(slept.filter((ms) => ms > 300).length).toBeGreaterThanOrEqual(2);
  });

  it("ends when it is told to, also in the middle of a question", async () => {
    const done = follow<string>({
      fetch: ({ signal }) =>
        new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(new Error("aborted")))),
      take: async () => "kept",
      answered: () => undefined,
      failed: () => expect.unreachable(),
      timers,
      signal: stop.signal,
    });
    stop.abort();
    await done;
    await until("nothing", () => true);
  });
});
