import { describe, expect, it } from "vitest";
import { checkSecurityFloor, floorText } from "./security-floor.ts";
import { parseEnvoyVersion } from "./version.ts";

const verdict = (text: string) => checkSecurityFloor(parseEnvoyVersion(text));

describe("checkSecurityFloor", () => {
  it.each(["1.36.10", "1.36.11", "1.37.6", "1.38.4", "1.39.1", "1.39.3", "1.40.0", "1.40.7", "1.41.0", "2.0.0"])(
    "accepts %s",
    (text) => expect(verdict(text)).toEqual({ ok: true }),
  );

  it.each([
    ["1.36.9", "1.36.10"],
    ["1.37.5", "1.37.6"],
    ["1.38.3", "1.38.4"],
    ["1.39.0", "1.39.1"],
  ])("refuses %s and names the release that closes its holes", (text, closes) => {
    expect(verdict(text)).toMatchObject({ ok: false, reason: expect.stringContaining(`${closes} closes them`) });
  });

  it.each(["1.35.99", "1.0.0", "0.99.0"])("refuses %s, of a line without fixes", (text) => {
    expect(verdict(text)).toMatchObject({ ok: false, reason: expect.stringContaining(floorText()) });
  });
});
