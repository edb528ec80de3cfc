import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  joinSpiffeId,
  MAX_ID_BYTES,
  MAX_TRUST_DOMAIN_BYTES,
  parseSpiffeId,
  parseTrustDomain,
  SpiffeError,
  SpiffeId,
  tryJoinSpiffeId,
  tryParseSpiffeId,
  tryParseTrustDomain,
} from "./index.ts";

const LOWER = "abcdefghijklmnopqrstuvwxyz0123456789-._";
const SEGMENT = `${LOWER}ABCDEFGHIJKLMNOPQRSTUVWXYZ`;
const bytes = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte));
const domain = parseTrustDomain("td");

const code = (text: string): string => {
  const read = tryParseSpiffeId(text);
  return read.ok ? "ok" : read.code;
};
const domainCode = (text: string): string => {
  const read = tryParseTrustDomain(text);
  return read.ok ? "ok" : read.code;
};
const joinCode = (...segments: string[]): string => {
  const read = tryJoinSpiffeId(domain, segments);
  return read.ok ? "ok" : read.code;
};

describe("every byte", () => {
  it("in a trust domain: only a-z 0-9 . - _ (ID-2)", () => {
    for (const byte of bytes) {
      const name = `t${byte}d`;
      const expected = LOWER.includes(byte) ? "ok" : "ERR_SPIFFE_BAD_TRUST_DOMAIN_CHAR";
      expect([byte, domainCode(name)]).toEqual([byte, expected]);
      // In an ID a slash ends the trust domain; everything else is judged alike.
      if (byte !== "/") expect([byte, code(`spiffe://${name}/x`)]).toEqual([byte, expected]);
    }
  });

  it("in a path segment: only A-Z a-z 0-9 . - _ (ID-3)", () => {
    for (const byte of bytes) {
      const expected = SEGMENT.includes(byte) ? "ok" : "ERR_SPIFFE_BAD_PATH_CHAR";
      expect([byte, joinCode(`x${byte}y`)]).toEqual([byte, expected]);
      if (byte !== "/") expect([byte, code(`spiffe://td/a/x${byte}y`)]).toEqual([byte, expected]);
    }
  });

  it("at the start and at the end of an ID", () => {
    for (const byte of bytes) {
      expect([byte, code(`${byte}spiffe://td/a`)]).toEqual([byte, "ERR_SPIFFE_SCHEME"]);
      const end = code(`spiffe://td/a${byte}`);
      if (byte === "/") expect(end).toBe("ERR_SPIFFE_TRAILING_SLASH");
      else expect([byte, end]).toEqual([byte, SEGMENT.includes(byte) ? "ok" : "ERR_SPIFFE_BAD_PATH_CHAR"]);
    }
  });

  it("beyond ASCII: letters that look alike or fold to ASCII", () => {
    for (const char of ["\u0430", "\u212a", "\uff41", "\u200b", "\u202e", "\ud800", "😀"]) {
      expect(code(`spiffe://td${char}/a`)).toBe("ERR_SPIFFE_BAD_TRUST_DOMAIN_CHAR");
      expect(code(`spiffe://td/a${char}`)).toBe("ERR_SPIFFE_BAD_PATH_CHAR");
    }
  });
});

describe("scheme and authority (ID-1, ID-2, ID-5)", () => {
  it.each(["spiffe:td", "spiffe:/td", "SPIFFE://td/a", "spiffe//td", "http://td/a", " spiffe://td", "//td/a", "td/a"])(
    "refuses %j for its scheme",
    (text) => {
      expect(code(text)).toBe("ERR_SPIFFE_SCHEME");
    },
  );

  it.each(["user@td", "td:80", "[::1]", "td?x", "td#x", "%74d", "Td", "td\\a", "td,td"])(
    "refuses authority %j",
    (authority) => {
      expect(code(`spiffe://${authority}/a`)).toBe("ERR_SPIFFE_BAD_TRUST_DOMAIN_CHAR");
      expect(domainCode(authority)).toBe("ERR_SPIFFE_BAD_TRUST_DOMAIN_CHAR");
    },
  );

  it.each(["127.0.0.1", "a", "-", ".", "..", "a_b", "example.org.", "xn--bcher-kva"])(
    "takes %j as a name like any other",
    (name) => {
      expect(domainCode(name)).toBe("ok");
      expect(code(`spiffe://${name}/a`)).toBe("ok");
    },
  );
});

describe("path (ID-3)", () => {
  it.each([
    ["/", "ERR_SPIFFE_TRAILING_SLASH"],
    ["//", "ERR_SPIFFE_EMPTY_SEGMENT"],
    ["/a/", "ERR_SPIFFE_TRAILING_SLASH"],
    ["//a", "ERR_SPIFFE_EMPTY_SEGMENT"],
    ["/a//b", "ERR_SPIFFE_EMPTY_SEGMENT"],
    ["/.", "ERR_SPIFFE_DOT_SEGMENT"],
    ["/..", "ERR_SPIFFE_DOT_SEGMENT"],
    ["/a/../b", "ERR_SPIFFE_DOT_SEGMENT"],
    ["/a/./b", "ERR_SPIFFE_DOT_SEGMENT"],
    ["/./a", "ERR_SPIFFE_DOT_SEGMENT"],
    ["/a%2Fb", "ERR_SPIFFE_BAD_PATH_CHAR"],
    ["/%2e%2e", "ERR_SPIFFE_BAD_PATH_CHAR"],
    ["/a?b", "ERR_SPIFFE_BAD_PATH_CHAR"],
    ["/a#b", "ERR_SPIFFE_BAD_PATH_CHAR"],
    ["/a;b", "ERR_SPIFFE_BAD_PATH_CHAR"],
    ["/a\\b", "ERR_SPIFFE_BAD_PATH_CHAR"],
    ["", "ok"],
    ["/...", "ok"],
    ["/.a/..a/a..", "ok"],
  ])("%j is %s", (path, expected) => {
    expect(code(`spiffe://td${path}`)).toBe(expected);
  });

  it("joined from segments lets none of them bring a slash, a dot segment or nothing", () => {
    expect(joinCode("a", "b")).toBe("ok");
    expect(joinCode()).toBe("ok");
    expect(joinCode("a/b")).toBe("ERR_SPIFFE_BAD_PATH_CHAR");
    expect(joinCode("a", "..", "b")).toBe("ERR_SPIFFE_DOT_SEGMENT");
    expect(joinCode("a", "")).toBe("ERR_SPIFFE_EMPTY_SEGMENT");
    expect(joinSpiffeId(domain, ["a", "B.c"]).toString()).toBe("spiffe://td/a/B.c");
  });
});

describe("length (ID-4)", () => {
  const start = "spiffe://td/";

  it("of a whole ID is at most 2048 bytes, parsed or joined", () => {
    expect(code(start + "a".repeat(MAX_ID_BYTES - start.length))).toBe("ok");
    expect(code(start + "a".repeat(MAX_ID_BYTES - start.length + 1))).toBe("ERR_SPIFFE_TOO_LONG");
    expect(joinCode("a".repeat(MAX_ID_BYTES))).toBe("ERR_SPIFFE_TOO_LONG");
  });

  it("of a trust domain is at most 255 bytes", () => {
    const longest = "t".repeat(MAX_TRUST_DOMAIN_BYTES);
    expect(domainCode(longest)).toBe("ok");
    expect(code(`spiffe://${longest}/a`)).toBe("ok");
    expect(domainCode(`${longest}t`)).toBe("ERR_SPIFFE_TRUST_DOMAIN_TOO_LONG");
    expect(code(`spiffe://${longest}t/a`)).toBe("ERR_SPIFFE_TRUST_DOMAIN_TOO_LONG");
  });
});

describe("a SpiffeId", () => {
  const id = parseSpiffeId("spiffe://td/ns/web");

  it("has the parts of its text and is that text everywhere", () => {
    expect(id.trustDomain).toBe("td");
    expect(id.path).toBe("/ns/web");
    expect(`${id}`).toBe("spiffe://td/ns/web");
    expect(JSON.stringify({ id })).toBe('{"id":"spiffe://td/ns/web"}');
    expect(parseSpiffeId("spiffe://td").path).toBe("");
  });

  it("equals another of the same text only; paths keep their case", () => {
    expect(id.equals(parseSpiffeId("spiffe://td/ns/web"))).toBe(true);
    expect(id.equals(parseSpiffeId("spiffe://td/ns/Web"))).toBe(false);
    expect(id.equals(parseSpiffeId("spiffe://td2/ns/web"))).toBe(false);
  });

  it("cannot be changed, nor imitated by an object with the same fields", () => {
    expect(Object.isFrozen(id)).toBe(true);
    // @ts-expect-error a plain object is no SpiffeId
    const imitation: SpiffeId = { trustDomain: domain, path: "/../x", toString: () => "spiffe://td/a" };
    expect(imitation).not.toBeInstanceOf(SpiffeId);
    // @ts-expect-error the constructor is not open
    const make = () => new SpiffeId("spiffe://td/..");
    expect(make).toThrow(expect.objectContaining({ code: "ERR_SPIFFE_DOT_SEGMENT" }));
  });
});

describe("refusals", () => {
  it("throw a SpiffeError with the same code and text from the throwing parsers", () => {
    const read = tryParseSpiffeId("spiffe://td/..");
    if (read.ok) throw new TypeError("a refusal expected");
    expect(() => parseSpiffeId("spiffe://td/..")).toThrow(new SpiffeError(read.code, read.message));
    expect(() => parseSpiffeId("spiffe://td/..")).toThrow(expect.objectContaining({ code: "ERR_SPIFFE_DOT_SEGMENT" }));
    expect(() => parseTrustDomain("")).toThrow(expect.objectContaining({ code: "ERR_SPIFFE_MISSING_TRUST_DOMAIN" }));
    expect(() => joinSpiffeId(domain, ["/"])).toThrow(expect.objectContaining({ code: "ERR_SPIFFE_BAD_PATH_CHAR" }));
  });

  it("show foreign text in backticks, printable and short", () => {
    const read = tryParseSpiffeId(`\u001b[31m\u202e\`${"x".repeat(5_000)}`.slice(0, 2_000));
    expect(read).toMatchObject({ ok: false, code: "ERR_SPIFFE_SCHEME" });
    if (read.ok) return;
    expect(read.message).toMatch(/^[\x20-\x7e…]+$/);
    expect(read.message).toContain("`\\u{1b}[31m\\u{202e}\\u{60}xxx");
    expect(read.message.length).toBeLessThan(250);
  });
});

describe("one identity, one text (ID-6)", () => {
  it.each([
    "spiffe://td/a/../b",
    "spiffe://td/a/%2e%2e/b",
    "spiffe://td/./b",
    "SPIFFE://td/b",
    "spiffe://td/b?",
    "spiffe://td/b#",
    "spiffe://@td/b",
    "spiffe://td:/b",
    " spiffe://td/b",
    "spiffe://td/b\n",
    "spi\tffe://td/b",
  ])("refuses %j, which a URL parser reads as spiffe://td/b or nearly so", (text) => {
    const url = new URL(text);
    expect([url.protocol, url.hostname, url.pathname]).toEqual(["spiffe:", "td", "/b"]);
    expect(code(text)).not.toBe("ok");
  });

  it("accepts exactly what the grammar of SPIFFE-ID, section 2, does", () => {
    const grammar = /^spiffe:\/\/[a-z0-9._-]{1,255}(?:\/(?!\.{1,2}(?:\/|$))[A-Za-z0-9._-]+)*$/;
    const piece = fc.constantFrom(
      "spiffe",
      ":",
      "/",
      "//",
      "td",
      "a",
      ".",
      "..",
      "A",
      "-",
      "_",
      "%2f",
      "\n",
      "é",
      "?",
      "@",
    );
    const near = fc.array(piece, { maxLength: 12 }).map((pieces) => `spiffe://${pieces.join("")}`);
    const text = fc.oneof(
      near,
      fc.string(),
      fc.array(piece).map((pieces) => pieces.join("")),
    );
    fc.assert(
      fc.property(text, (candidate) => {
        expect(code(candidate) === "ok").toBe(grammar.test(candidate));
      }),
      { seed: Date.now(), numRuns: 20_000 },
    );
  });
});
