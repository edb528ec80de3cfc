import { describe, expect, it } from "vitest";
import { normalizeSerial, tryNormalizeSerial } from "./index.ts";

describe("a serial number", () => {
  it.each([
    ["0A:FF:03", "aff03"],
    ["0aff03", "aff03"],
    ["AFF03", "aff03"],
    ["000", "0"],
    ["00:00", "0"],
    ["10", "10"],
  ])("%j has the one spelling %j", (text, serial) => {
    expect(normalizeSerial(text)).toBe(serial);
    expect(normalizeSerial(serial)).toBe(serial);
  });

  it.each(["", " ", "0x1f", "-1", "xyz", "1f ", "a:", ":a", "a:b", "a::b", "01:2", "1\n"])("is not %j", (text) => {
    expect(tryNormalizeSerial(text)).toBeUndefined();
    expect(() => normalizeSerial(text)).toThrow(expect.objectContaining({ code: "ERR_SPIFFE_SERIAL" }));
  });
});
