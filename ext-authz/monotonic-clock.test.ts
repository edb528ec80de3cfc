import { describe, expect, it } from "vitest";
import { MonotonicClock } from "./monotonic-clock.ts";

function sources(start: number) {
  const state = { wallMs: start, monotonicMs: 0 };
  return {
    state,
    wall: () => new Date(state.wallMs),
    monotonicMs: () => state.monotonicMs,
    pass(ms: number) {
      state.wallMs += ms;
      state.monotonicMs += ms;
    },
  };
}

describe("MonotonicClock", () => {
  it("follows the wall clock forwards", () => {
    const s = sources(1_000);
    const clock = new MonotonicClock(s);
    s.pass(500);
    expect(clock.nowMs()).toBe(1_500);
    s.state.wallMs += 60_000;
    expect(clock.nowMs()).toBe(61_500);
  });

  it("goes on at the machine's pace when the wall clock is set back", () => {
    const s = sources(1_000_000);
    const clock = new MonotonicClock(s);
    expect(clock.nowMs()).toBe(1_000_000);
    s.state.wallMs -= 900_000;
    expect(clock.nowMs()).toBe(1_000_000);
    s.pass(7_000);
    expect(clock.nowMs()).toBe(1_007_000);
    expect(clock.wallBehindMs()).toBe(900_000);
  });

  it("never starts below the persisted floor", () => {
    const s = sources(1_000);
    const clock = new MonotonicClock(s, new Date(50_000));
    expect(clock.nowMs()).toBe(50_000);
    s.pass(10);
    expect(clock.nowMs()).toBe(50_010);
  });

  it("rises to an instant it is told and ignores an earlier one", () => {
    const s = sources(1_000);
    const clock = new MonotonicClock(s);
    clock.told(new Date(9_000));
    expect(clock.nowMs()).toBe(9_000);
    clock.told(new Date(2_000));
    s.pass(1);
    expect(clock.nowMs()).toBe(9_001);
    clock.told(new Date(Number.NaN));
    expect(clock.nowMs()).toBe(9_001);
  });

  it("never decreases on any course of the two sources", () => {
    const s = sources(1_000);
    const clock = new MonotonicClock(s);
    let last = clock.nowMs();
    for (let i = 0; i < 1_000; i++) {
      s.state.wallMs += Math.round((Math.random() - 0.5) * 10_000);
      s.state.monotonicMs += Math.random() * 5;
      if (i % 7 === 0) clock.told(new Date(s.state.wallMs + 100));
      const now = clock.nowMs();
      expect(now).toBeGreaterThanOrEqual(last);
      last = now;
    }
  });
});
