import { describe, expect, it } from "vitest";
import { boolean, explicit, octetString, parseDer, sequence, time, toDer, unsignedInteger, utf8String } from "./der.ts";

const bytes = (hex: string) => Buffer.from(hex.replaceAll(" ", ""), "hex");

describe("parseDer", () => {
  it.each([
    [
      "a sequence of everything that certificates hold",
      toDer(
        sequence(boolean(true), unsignedInteger(bytes("00ff")), utf8String("ü"), explicit(3, octetString(bytes("00")))),
      ),
    ],
    ["a bit string that holds DER, left as it is", bytes("03 04 00 30 01 00")],
    ["an integer that needs its leading zero", bytes("02 02 00 80")],
    ["a negative integer", bytes("02 01 ff")],
  ])("reads %s and writes the same bytes", (_, der) => {
    expect(toDer(parseDer(der))).toEqual(der);
  });

  it.each([
    ["a true that is not ff", "01 01 01"],
    ["a boolean of two bytes", "01 02 ff ff"],
    ["an integer with a leading zero too many", "02 02 00 01"],
    ["an integer with a leading ff too many", "02 02 ff ff"],
    ["an integer of no bytes", "02 00"],
    ["such a boolean deep inside", "30 05 30 03 01 01 01"],
    ["a length in a longer form than needed", "30 81 02 05 00"],
    ["an indefinite length", "30 80 05 00 00 00"],
    ["bytes after its end", "05 00 00"],
    ["its end missing", "30 03 05 00"],
    ["nothing", ""],
  ])("refuses %s", (_, hex) => {
    expect(() => parseDer(bytes(hex))).toThrow();
  });

  it("refuses nesting without end instead of overflowing", () => {
    let der = bytes("0500");
    for (let depth = 0; depth < 2000; depth += 1) {
      const length =
        der.length < 128 ? Buffer.from([der.length]) : Buffer.from([0x82, der.length >> 8, der.length & 0xff]);
      der = Buffer.concat([Buffer.from([0x30]), length, der]);
    }
    expect(() => parseDer(der)).toThrow();
  });
});

describe("time", () => {
  it.each([
    ["2049-12-31T23:59:59Z", "17 0d 3439 3132 3331 3233 3539 3539 5a"],
    ["2050-01-01T00:00:00Z", "18 0f 3230 3530 3031 3031 3030 3030 3030 5a"],
  ])("writes %s as RFC 5280, section 4.1.2.5, wants it", (at, hex) => {
    expect(toDer(time(new Date(at)))).toEqual(bytes(hex));
  });
});
