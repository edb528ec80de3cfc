import { createPublicKey } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Asn1, parseDer, toDer } from "./der.ts";
import { bytesIn, bytesOf, type DerSlice, isExactly, readSlices, SliceTag, slicesIn } from "./der-slices.ts";
import { spkiOf } from "./public-key.ts";
import { certificateRequest, freshKey } from "./testing/certificate-request.ts";

const hex = (text: string): Buffer => Buffer.from(text, "hex");

/** Whether the reader of trees takes it. */
function isTree(bytes: Buffer): boolean {
  try {
    parseDer(bytes);
    return true;
  } catch {
    return false;
  }
}

function isSlices(bytes: Buffer): boolean {
  try {
    readSlices(bytes);
    return true;
  } catch {
    return false;
  }
}

/** The encodings of all elements, parents first. */
function allOf(slice: DerSlice): string[] {
  return [bytesOf(slice).toString("hex"), ...slice.children.flatMap(allOf)];
}

function allOfTree(node: Asn1): string[] {
  const below = Array.isArray(node.value) ? node.value.flatMap(allOfTree) : [];
  return [toDer(node).toString("hex"), ...below];
}

describe("readSlices", () => {
  it("finds the same elements as the reader of trees", () => {
    const names = Array.from({ length: 30 }, (_, index) => `name-${index}.shop.example`);
    for (const der of [
      certificateRequest({ uris: ["spiffe://shop.example/shop/web"] }),
      certificateRequest({ dnsNames: names }),
      spkiOf(createPublicKey(freshKey())),
    ]) {
      expect(allOf(readSlices(der))).toEqual(allOfTree(parseDer(der)));
    }
  });

  it("takes whatever the reader of trees takes, and nothing else, but for tags that one of them does not know", () => {
    const seed = certificateRequest({ uris: ["spiffe://shop.example/shop/web"], dnsNames: ["a.example"] });
    const edits = fc.array(fc.tuple(fc.nat(seed.length - 1), fc.nat(255)), { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(edits, (changes) => {
        const bytes = Buffer.from(seed);
        for (const [at, value] of changes) bytes[at] = value;
        // Tags of several bytes are refused here; text in 16-bit units, there.
        fc.pre(!changes.some(([, value]) => (value & 0x1f) >= 0x1e));
        // The reader of trees holds `[2]` of any class to what an integer is.
        if (changes.some(([, value]) => [0x42, 0x82, 0xc2].includes(value))) {
          expect(isSlices(bytes) || !isTree(bytes)).toBe(true);
        } else expect(isSlices(bytes)).toBe(isTree(bytes));
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ["nothing", ""],
    ["a tag alone", "30"],
    ["a content that ends early", "300302"],
    ["an element that reaches over its parent's end", "3003020201020500"],
    ["bytes after the end", "30000500"],
    ["an indefinite length", "30800000"],
    ["an indefinite length before as much as its byte says", `0480${"00".repeat(128)}`],
    ["a length of one byte written in two", `3081${"03"}020101`],
    ["a length of two bytes with a leading zero", `30820080${"00".repeat(128)}`],
    ["a length of three bytes", `0483010000${"00".repeat(0x1_0000)}`],
    ["a tag of more than one byte", "3f1f0101"],
    ["a boolean that is neither", "010101"],
    ["a boolean of two bytes", "0102ffff"],
    ["an integer of none", "0200"],
    ["an integer with a leading zero", "02020001"],
    ["a negative integer with a leading one", "0202ff80"],
  ])("refuses %s", (_what, text) => {
    expect(isSlices(hex(text))).toBe(false);
  });

  it("refuses what is nested deeper than anybody means, without running out of stack", () => {
    let nested = hex("0500");
    for (let depth = 0; depth < 40; depth += 1)
      nested = Buffer.concat([hex("30"), Buffer.from([nested.length]), nested]);
    expect(isTree(nested)).toBe(true);
    expect(isSlices(nested)).toBe(false);
  });

  it("takes lengths of one, two and three bytes", () => {
    for (const [head, length] of [
      ["047f", 0x7f],
      ["048180", 0x80],
      ["0481ff", 0xff],
      ["04820100", 0x100],
    ] as const) {
      expect(bytesIn(readSlices(Buffer.concat([hex(head), Buffer.alloc(length, 7)])), 0x04)).toHaveLength(length);
    }
  });

  it("takes any content of a primitive that is an integer by its number alone, and not by its class", () => {
    expect(isSlices(hex("02020001"))).toBe(false);
    for (const tag of ["42", "82", "c2"]) expect(isSlices(hex(`${tag}020001`))).toBe(true);
  });

  it("gives what is asked for only of an element of the very tag", () => {
    const whole = readSlices(hex("3003020105"));
    const [number] = slicesIn(whole, SliceTag.SEQUENCE);
    expect(bytesIn(number, SliceTag.INTEGER)).toEqual(hex("05"));
    expect(isExactly(number, hex("020105"))).toBe(true);
    expect(isExactly(number, hex("020106"))).toBe(false);
    expect(isExactly(number, hex("0201"))).toBe(false);
    expect(isExactly(undefined, hex(""))).toBe(false);
    expect(() => slicesIn(whole, SliceTag.SET)).toThrow("shape");
    expect(() => bytesIn(number, SliceTag.OCTET_STRING)).toThrow("shape");
    expect(() => bytesIn(undefined, SliceTag.OCTET_STRING)).toThrow("shape");
  });
});
