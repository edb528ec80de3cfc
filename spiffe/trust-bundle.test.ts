import { createPublicKey } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  formatTrustBundle,
  parseTrustBundle,
  parseTrustBundleMap,
  parseTrustDomain,
  SpiffeError,
  type TrustBundle,
  verifyX509Svid,
} from "./index.ts";
import { createKey, createTestCa } from "./testing/index.ts";

const trustDomain = parseTrustDomain("shop.example");
const ca = createTestCa({ trustDomain: "shop.example" });
const rsaCa = createTestCa({ trustDomain: "shop.example", keyKind: "rsa2048" });
const jwtKey = createPublicKey(createKey());
const full: TrustBundle = {
  trustDomain,
  x509Authorities: [ca.root, rsaCa.root],
  jwtAuthorities: new Map([["k1", jwtKey]]),
  sequence: 9007199254740993n,
  refreshHintSeconds: 300,
};

type Entry = Record<string, unknown>;
const entriesOf = (bundle: TrustBundle): Entry[] => JSON.parse(formatTrustBundle(bundle)).keys;
const [x509Entry = {}, , jwtEntry = {}] = entriesOf(full);

/** The code that a document is refused with, or how many keys of each kind it holds. */
function read(text: string): string {
  try {
    const bundle = parseTrustBundle(trustDomain, text);
    return `${bundle.x509Authorities.length} x509, ${bundle.jwtAuthorities.size} jwt`;
  } catch (error) {
    if (error instanceof SpiffeError) return error.code;
    throw error;
  }
}
const readEntries = (...keys: readonly unknown[]): string => read(JSON.stringify({ keys }));

describe("a trust bundle document", () => {
  it("comes back from its text as it was", () => {
    const text = formatTrustBundle(full);
    const bundle = parseTrustBundle(trustDomain, text);
    expect(bundle.trustDomain).toBe("shop.example");
    expect(bundle.x509Authorities.map(({ raw }) => raw)).toEqual([ca.root.raw, rsaCa.root.raw]);
    expect([...bundle.jwtAuthorities.keys()]).toEqual(["k1"]);
    expect(bundle.jwtAuthorities.get("k1")?.equals(jwtKey)).toBe(true);
    expect(bundle.sequence).toBe(9007199254740993n);
    expect(bundle.refreshHintSeconds).toBe(300);
    expect(formatTrustBundle(bundle)).toBe(text);
  });

  it("verifies the SVIDs of its trust domain", () => {
    const bundle = parseTrustBundle(trustDomain, formatTrustBundle(full));
    const web = rsaCa.intermediate().issue({ uris: ["spiffe://shop.example/web"] });
    expect(verifyX509Svid(web.chain, bundle, { at: new Date() })).toMatchObject({ ok: true });
  });

  it("may hold no key at all (B-1)", () => {
    expect(read('{"keys":[]}')).toBe("0 x509, 0 jwt");
    expect(formatTrustBundle({ trustDomain, x509Authorities: [], jwtAuthorities: new Map() })).toBe('{"keys":[]}');
  });

  it("writes X.509 entries without kid and with one certificate, and no private parts (X-11)", () => {
    const entries = entriesOf(full);
    expect(Object.keys(x509Entry)).toEqual(["use", "kty", "crv", "x", "y", "x5c"]);
    expect(entries[1]).toMatchObject({ kty: "RSA", x5c: [rsaCa.root.raw.toString("base64")] });
    expect(Object.keys(jwtEntry)).toEqual(["use", "kid", "kty", "crv", "x", "y"]);
  });

  it("does not write private or strange keys", () => {
    const withKey = (key: typeof jwtKey): TrustBundle => ({ ...full, jwtAuthorities: new Map([["k", key]]) });
    expect(() => formatTrustBundle(withKey(createKey()))).toThrow("public EC or RSA");
    expect(() => formatTrustBundle(withKey(createPublicKey(createKey("ed25519"))))).toThrow("public EC or RSA");
  });
});

describe("sequence and refresh hint (B-2, B-3)", () => {
  it.each([
    ["0", 0n],
    ["9007199254740993", 9007199254740993n],
    ["18446744073709551615", 2n ** 64n - 1n],
  ])("reads sequence %s digit by digit", (text, sequence) => {
    expect(parseTrustBundle(trustDomain, `{"keys":[],"spiffe_sequence":${text}}`).sequence).toBe(sequence);
  });

  it.each(["18446744073709551616", "-1", "1.0", "1e3", '"1"', "null", "true", "[]", "{}"])(
    "refuses sequence %s",
    (text) => {
      expect(read(`{"keys":[],"spiffe_sequence":${text}}`)).toBe("ERR_SPIFFE_BUNDLE_SEQUENCE");
    },
  );

  it.each(["-1", "0.5", '"300"', "99999999999999999999"])("refuses refresh hint %s", (text) => {
    expect(read(`{"keys":[],"spiffe_refresh_hint":${text}}`)).toBe("ERR_SPIFFE_BUNDLE_REFRESH_HINT");
  });

  it("leaves both out where they are not given", () => {
    expect(Object.keys(parseTrustBundle(trustDomain, '{"keys":[]}'))).toEqual([
      "trustDomain",
      "x509Authorities",
      "jwtAuthorities",
    ]);
  });
});

describe("entries", () => {
  it("of an unknown key type, an unknown use or none are ignored (B-4)", () => {
    expect(readEntries({ kty: "quantum", use: "x509-svid" }, { use: "x509-svid" })).toBe("0 x509, 0 jwt");
    expect(readEntries({ ...x509Entry, kty: "quantum" }, { ...jwtEntry, kty: "OKP" })).toBe("0 x509, 0 jwt");
    expect(readEntries({ ...x509Entry, use: "wit-svid" }, { ...x509Entry, use: undefined })).toBe("0 x509, 0 jwt");
    expect(readEntries({ ...x509Entry, use: 7 }, x509Entry)).toBe("1 x509, 0 jwt");
  });

  it("without x5c are skipped, and of several certificates the first counts (X-11)", () => {
    const x5c = [ca.root.raw.toString("base64"), rsaCa.root.raw.toString("base64")];
    expect(readEntries({ ...x509Entry, x5c: undefined })).toBe("0 x509, 0 jwt");
    expect(readEntries({ ...x509Entry, x5c })).toBe("1 x509, 0 jwt");
  });

  it.each<[string, Entry]>([
    ["an X.509 entry with a kid (X-11)", { ...x509Entry, kid: "a" }],
    ["an X.509 entry with an empty chain", { ...x509Entry, x5c: [] }],
    ["an X.509 entry whose chain is a text", { ...x509Entry, x5c: ca.root.raw.toString("base64") }],
    ["a certificate in base64url", { ...x509Entry, x5c: [ca.root.raw.toString("base64url")] }],
    [
      "a certificate with bytes behind it",
      { ...x509Entry, x5c: [Buffer.concat([ca.root.raw, Buffer.of(0)]).toString("base64")] },
    ],
    ["a certificate in PEM", { ...x509Entry, x5c: [Buffer.from(ca.certPem).toString("base64")] }],
    ["a key that is not the certificate's", { ...x509Entry, x: jwtEntry.x, y: jwtEntry.y }],
    ["a point that is not on the curve", { ...jwtEntry, x: "AA" }],
    ["a JWT entry without kid (J-7)", { ...jwtEntry, kid: undefined }],
  ])("are refused: %s", (_rule, entry) => {
    expect(readEntries(entry)).toBe("ERR_SPIFFE_BUNDLE_ENTRY");
  });

  it("of JWT keys have each a kid of their own", () => {
    expect(readEntries(jwtEntry, { ...jwtEntry, kid: "k2" })).toBe("0 x509, 2 jwt");
    expect(readEntries(jwtEntry, jwtEntry)).toBe("ERR_SPIFFE_BUNDLE_ENTRY");
  });
});

describe("a text that is no bundle", () => {
  it.each([
    ["", "ERR_SPIFFE_BUNDLE_JSON"],
    ["{", "ERR_SPIFFE_BUNDLE_JSON"],
    ['{"keys":[]} x', "ERR_SPIFFE_BUNDLE_JSON"],
    ['{"keys":[],}', "ERR_SPIFFE_BUNDLE_JSON"],
    [`{"keys":${"[".repeat(10_000)}`, "ERR_SPIFFE_BUNDLE_JSON"],
    ["[]", "ERR_SPIFFE_BUNDLE_SHAPE"],
    ["{}", "ERR_SPIFFE_BUNDLE_SHAPE"],
    ['{"keys":{}}', "ERR_SPIFFE_BUNDLE_SHAPE"],
    ['{"keys":[1]}', "ERR_SPIFFE_BUNDLE_SHAPE"],
    ['{"keys":[],"keys":[]}', "ERR_SPIFFE_BUNDLE_DUPLICATE_KEY"],
    ['{"keys":[{"use":"a","\\u0075se":"b"}]}', "ERR_SPIFFE_BUNDLE_DUPLICATE_KEY"],
  ])("%j is refused with %s", (text, code) => {
    expect(read(text)).toBe(code);
  });
});

describe("any text", () => {
  it("is read or refused with a code, whatever was changed in a sound document", () => {
    const text = formatTrustBundle(full);
    const change = fc.record({ at: fc.nat(text.length), char: fc.string({ maxLength: 2 }), cut: fc.nat(3) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 3 }), (changes) => {
        const changed = changes.reduce((was, { at, char, cut }) => was.slice(0, at) + char + was.slice(at + cut), text);
        expect(read(changed)).toMatch(/^(ERR_SPIFFE_BUNDLE_[A-Z_]+|\d x509, \d jwt)$/);
      }),
      { seed: Date.now(), numRuns: 1_000 },
    );
  });
});

describe("a bundle map (B-5, B-6)", () => {
  const own = formatTrustBundle(full);
  const foreign = createTestCa({ trustDomain: "bank.example" });
  const map = `{"trust_domains":{"shop.example":${own},"bank.example":${formatTrustBundle(foreign.bundle())}}}`;

  it("keeps each bundle with its trust domain", () => {
    const bundles = parseTrustBundleMap(map);
    expect([...bundles.keys()]).toEqual(["shop.example", "bank.example"]);
    const bank = bundles.get(foreign.trustDomain);
    expect(bank?.trustDomain).toBe("bank.example");
    expect(bank?.x509Authorities.map(({ raw }) => raw)).toEqual([foreign.root.raw]);
  });

  it.each([
    [`{"trust_domains":{"shop.example":${own},"shop.example":${own}}}`, "ERR_SPIFFE_BUNDLE_DUPLICATE_KEY"],
    [`{"trust_domains":{"Shop.example":${own}}}`, "ERR_SPIFFE_BAD_TRUST_DOMAIN_CHAR"],
    [`{"trust_domains":{"spiffe://shop.example":${own}}}`, "ERR_SPIFFE_BUNDLE_SHAPE"],
    ["{}", "ERR_SPIFFE_BUNDLE_SHAPE"],
  ])("is refused when its names are not unique and plain: %#", (text, code) => {
    expect(() => parseTrustBundleMap(text)).toThrow(expect.objectContaining({ code }));
  });
});
