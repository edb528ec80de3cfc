import { describe, expect, it } from "vitest";
import { cidrContains, parseAddress } from "./address.ts";

const block = (text: string, prefixLength: number) => ({ text, bytes: parseAddress(text) ?? [], prefixLength });
const contains = (text: string, prefixLength: number, address: string): boolean =>
  cidrContains(block(text, prefixLength), parseAddress(address) ?? []);

describe("parseAddress", () => {
  it("reads IPv4, IPv6 and IPv4-mapped IPv6 as IPv4", () => {
    expect(parseAddress("10.1.2.3")).toEqual([10, 1, 2, 3]);
    expect(parseAddress("::ffff:10.1.2.3")).toEqual([10, 1, 2, 3]);
    expect(parseAddress("::FFFF:a01:203")).toEqual([10, 1, 2, 3]);
    expect(parseAddress("::")).toEqual(new Array(16).fill(0));
    expect(parseAddress("fe80::1%eth0")?.slice(0, 2)).toEqual([0xfe, 0x80]);
    expect(parseAddress("1:2:3:4:5:6:7:8")).toEqual([0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8]);
  });

  it.each([
    "",
    "10.1.2",
    "10.1.2.256",
    "010.1.2.3",
    "10.1.2.3.4",
    "0x0a.1.2.3",
    "1::2::3",
    "1:2:3:4:5:6:7",
    ":::",
    "1:2:3:4:5:6:7:8:9",
    "g::",
    "1:2:3:4:5:6:7::8:9",
    "::1.2.3",
    "host",
  ])("does not read %j", (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });
});

describe("cidrContains", () => {
  it("compares whole bytes and the bits beyond them", () => {
    expect(contains("10.0.0.0", 8, "10.255.0.1")).toBe(true);
    expect(contains("10.0.0.0", 8, "11.0.0.1")).toBe(false);
    expect(contains("10.1.128.0", 17, "10.1.200.1")).toBe(true);
    expect(contains("10.1.128.0", 17, "10.1.127.1")).toBe(false);
    expect(contains("10.1.2.3", 32, "10.1.2.3")).toBe(true);
    expect(contains("10.1.2.3", 32, "10.1.2.2")).toBe(false);
    expect(contains("0.0.0.0", 0, "203.0.113.9")).toBe(true);
    expect(contains("fd00::", 8, "fdff::1")).toBe(true);
  });

  it("never mixes families", () => {
    expect(contains("::", 0, "10.1.2.3")).toBe(false);
    expect(contains("0.0.0.0", 0, "fd00::1")).toBe(false);
    expect(contains("10.0.0.0", 8, "::ffff:10.1.2.3")).toBe(true);
  });
});
