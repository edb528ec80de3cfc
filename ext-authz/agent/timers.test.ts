import { describe, expect, it } from "vitest";
import { backoffMs, renewAt, systemTimers } from "./timers.ts";

describe("backoffMs", () => {
  it("doubles up to its limit, with jitter between a quarter and the whole", () => {
    expect([1, 2, 3, 30].map((n) => backoffMs(n, () => 0.999999))).toEqual(
      [250, 500, 1000, 15_000].map((ms) => expect.closeTo(ms, -1)),
    );
    expect(backoffMs(1, () => 0)).toBe(62.5);
    expect(backoffMs(1_000_000, () => 0)).toBe(3_750);
  });
});

describe("renewAt", () => {
  const certificate = { notBefore: new Date(0), notAfter: new Date(1000_000) };

  it("is half the certificate's life, give or take a twentieth", () => {
    expect(renewAt(certificate, () => 0).getTime()).toBe(450_000);
    expect(renewAt(certificate, () => 0.5).getTime()).toBe(500_000);
    expect(renewAt(certificate, () => 1).getTime()).toBe(550_000);
  });
});

describe("systemTimers", () => {
  it("ends a wait when it is aborted, and does not begin one that is", async () => {
    const abort = new AbortController();
    const waiting = systemTimers.sleep(3_600_000, abort.signal);
    abort.abort();
    await waiting;
    await systemTimers.sleep(3_600_000, abort.signal);
  });
});
