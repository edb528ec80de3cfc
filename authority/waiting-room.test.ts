import { describe, expect, it } from "vitest";
import { WaitingRoom } from "./waiting-room.ts";

const never = (): boolean => false;
const MINUTE = 60_000;

describe("WaitingRoom", () => {
  it("holds a request until something is new for it, and only that one", async () => {
    const room = new WaitingRoom({ maxWaiting: 10, maxPerCaller: 10 });
    let changed = false;
    const first = room.hold({ caller: "a", timeoutMs: MINUTE, changed: () => changed });
    const second = room.hold({ caller: "b", timeoutMs: MINUTE, changed: never });
    room.wake();
    expect(room.size).toBe(2);
    changed = true;
    room.wake();
    await first;
    expect(room.size).toBe(1);
    room.close();
    await second;
  });

  it("answers at once where something is new already", async () => {
    const room = new WaitingRoom({ maxWaiting: 10, maxPerCaller: 10 });
    await room.hold({ caller: "a", timeoutMs: MINUTE, changed: () => true });
    expect(room.size).toBe(0);
  });

  it("lets a request go when its time is up", async () => {
    const room = new WaitingRoom({ maxWaiting: 10, maxPerCaller: 10 });
    await room.hold({ caller: "a", timeoutMs: 5, changed: never });
    expect(room.size).toBe(0);
  });

  it("lets a request go when its client hangs up", async () => {
    const room = new WaitingRoom({ maxWaiting: 10, maxPerCaller: 10 });
    const client = new AbortController();
    const held = room.hold({ caller: "a", timeoutMs: MINUTE, changed: never, signal: client.signal });
    expect(room.size).toBe(1);
    client.abort();
    await held;
    expect(room.size).toBe(0);
  });

  it("holds no more than its bounds, per caller and in all, and counts right after they left", async () => {
    const room = new WaitingRoom({ maxWaiting: 3, maxPerCaller: 2 });
    const hold = (caller: string): Promise<void> => room.hold({ caller, timeoutMs: MINUTE, changed: never });
    const held = [hold("a"), hold("a")];
    await hold("a");
    held.push(hold("b"));
    await hold("c");
    expect(room.size).toBe(3);
    room.close();
    await Promise.all(held);
    expect(room.size).toBe(0);
  });

  it("holds nobody after it closed", async () => {
    const room = new WaitingRoom({ maxWaiting: 3, maxPerCaller: 2 });
    room.close();
    await room.hold({ caller: "a", timeoutMs: MINUTE, changed: never });
    expect(room.size).toBe(0);
  });
});
