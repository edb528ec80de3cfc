import { describe, expect, it } from "vitest";
import { RingBuffer } from "./ring-buffer.ts";

describe("RingBuffer", () => {
  it("gives elements back in order, around its end", () => {
    const ring = new RingBuffer<number>(3);
    const out: (number | undefined)[] = [];
    for (let i = 0; i < 10; i++) {
      expect(ring.push(i)).toBe(true);
      if (i % 2 === 1) out.push(ring.shift(), ring.shift());
    }
    expect(out).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(ring.shift()).toBeUndefined();
  });

  it("refuses what does not fit and keeps what it holds", () => {
    const ring = new RingBuffer<string>(2);
    expect([ring.push("a"), ring.push("b"), ring.push("c")]).toEqual([true, true, false]);
    expect([ring.size, ring.shift(), ring.shift(), ring.size]).toEqual([2, "a", "b", 0]);
  });

  it("refuses a capacity that is no positive integer", () => {
    expect(() => new RingBuffer(0)).toThrow(TypeError);
  });
});
