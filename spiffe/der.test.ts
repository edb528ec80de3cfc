import { describe, expect, it } from "vitest";
import { booleanOf, naturalHexOf, oidOf, readDer, timeOf } from "./der.ts";

const node = (hex: string) => readDer(Buffer.from(hex, "hex").toString("latin1"));
const text = (tag: string, content: string) =>
  node(tag + content.length.toString(16).padStart(2, "0") + Buffer.from(content).toString("hex"));
const malformed = expect.objectContaining({ code: "ERR_SPIFFE_CERTIFICATE_MALFORMED" });

describe("DER", () => {
  it.each([
    ["nothing", ""],
    ["a tag alone", "30"],
    ["a value cut short", "0402aa"],
    ["bytes behind the element", "050000"],
    ["an indefinite length", "30800000"],
    ["a length in more bytes than it needs", "048101aa"],
    ["a length with leading zeros", "04820001aa"],
    ["an integer with a needless zero", "02020001"],
    ["nesting without end", "3080".repeat(400)],
  ])("refuses %s", (_what, hex) => {
    expect(() => node(hex)).toThrow(malformed);
  });

  it("reads whole numbers that are not negative", () => {
    expect(naturalHexOf(node("020100"), "n")).toBe("00");
    expect(naturalHexOf(node("020200ff"), "n")).toBe("00ff");
    expect(() => naturalHexOf(node("0201ff"), "n")).toThrow(malformed);
    expect(() => naturalHexOf(node("0401ff"), "n")).toThrow(malformed);
    expect(() => naturalHexOf(undefined, "n")).toThrow(malformed);
  });

  it("reads the two truth values and no third", () => {
    expect(booleanOf(node("0101ff"), "b")).toBe(true);
    expect(booleanOf(node("010100"), "b")).toBe(false);
    expect(() => booleanOf(node("010101"), "b")).toThrow(malformed);
    expect(() => booleanOf(node("0100"), "b")).toThrow(malformed);
    expect(() => booleanOf(node("0102ffff"), "b")).toThrow(malformed);
  });

  it("reads object identifiers that are whole", () => {
    expect(oidOf(node("0603551d11"), "o")).toBe("2.5.29.17");
    expect(() => oidOf(node("0600"), "o")).toThrow(malformed);
    expect(() => oidOf(node("0603551d91"), "o")).toThrow(malformed);
  });
});

describe("times (RFC 5280, section 4.1.2.5)", () => {
  it.each([
    ["17", "260601120000Z", "2026-06-01T12:00:00.000Z"],
    ["17", "500101000000Z", "1950-01-01T00:00:00.000Z"],
    ["17", "491231235959Z", "2049-12-31T23:59:59.000Z"],
    ["17", "240229000000Z", "2024-02-29T00:00:00.000Z"],
    ["18", "20500101000000Z", "2050-01-01T00:00:00.000Z"],
    ["18", "99991231235959Z", "9999-12-31T23:59:59.000Z"],
  ])("of tag %s read %s as %s", (tag, content, expected) => {
    expect(timeOf(text(tag, content), "t").toISOString()).toBe(expected);
  });

  it.each([
    ["17", "230229000000Z"],
    ["17", "260631000000Z"],
    ["17", "260601240000Z"],
    ["17", "261301000000Z"],
    ["17", "2606011200Z"],
    ["17", "260601120000+0000"],
    ["17", "260601120000"],
    ["17", "260601120000Z\n"],
    ["17", "2606011200é0Z"],
    ["18", "260601120000Z"],
    ["18", "20260601120000.5Z"],
    ["0c", "260601120000Z"],
  ])("of tag %s refuse %j", (tag, content) => {
    expect(() => timeOf(text(tag, content), "t")).toThrow(malformed);
  });
});
