import { describe, expect, it } from "vitest";
import { pastHalf, resolveLifetimes, validityFrom } from "./lifetimes.ts";

const DAY = 86_400;

describe("resolveLifetimes", () => {
  it("gives an hour to SVIDs and bundles, a week to the signer, a month to the key of tokens, a year to the intermediate, ten to the root", () => {
    expect(resolveLifetimes()).toEqual({
      svidSeconds: 3600,
      agentSeconds: DAY,
      signerSeconds: 7 * DAY,
      intermediateSeconds: 365 * DAY,
      rootSeconds: 3650 * DAY,
      bundleSeconds: 3600,
      jwtSvidSeconds: 300,
      jwtKeySeconds: 30 * DAY,
      announceSeconds: 900,
      backdateSeconds: 60,
    });
  });

  it("derives an agent's lifetime from the SVIDs', and a day at least", () => {
    expect(resolveLifetimes({ svidSeconds: 2 * 3600 }).agentSeconds).toBe(2 * DAY);
    expect(resolveLifetimes({ svidSeconds: 30 }).agentSeconds).toBe(DAY);
  });

  it.each([
    [{ svidSeconds: 0 }, "svidSeconds"],
    [{ svidSeconds: 1.5 }, "svidSeconds"],
    [{ svidSeconds: Number.POSITIVE_INFINITY }, "svidSeconds"],
    [{ backdateSeconds: -1 }, "backdateSeconds"],
    [{ svidSeconds: 10 * DAY, agentSeconds: DAY, intermediateSeconds: 19 * DAY }, "svidSeconds"],
    [{ svidSeconds: 30 * DAY }, "agentSeconds"],
    [{ signerSeconds: 200 * DAY }, "signerSeconds"],
    [{ bundleSeconds: 4 * DAY }, "bundleSeconds"],
    [{ jwtSvidSeconds: 60, jwtKeySeconds: 119 }, "jwtSvidSeconds"],
    [{ rootSeconds: 365 * DAY }, "intermediateSeconds"],
  ])("refuses what cannot hold: %j", (given, name) => {
    expect(() => resolveLifetimes(given)).toThrow(
      expect.objectContaining({ code: "ERR_CA_LIFETIME", message: expect.stringContaining(`\`${name}\``) }),
    );
  });
});

describe("validityFrom", () => {
  it("is in whole seconds and starts before now", () => {
    const validity = validityFrom(new Date("2030-01-01T00:00:00.999Z"), 90, resolveLifetimes());
    expect(validity).toEqual({
      notBefore: new Date("2029-12-31T23:59:00Z"),
      notAfter: new Date("2030-01-01T00:01:30Z"),
    });
  });
});

describe("pastHalf", () => {
  const [from, to] = [new Date(1000), new Date(3000)];
  it.each([
    [999, true],
    [1000, false],
    [1999, false],
    [2000, true],
    [5000, true],
  ])("at %i of 1000 to 3000 is %s, a clock set back included", (at, due) => {
    expect(pastHalf(from, to, new Date(at))).toBe(due);
  });
});
