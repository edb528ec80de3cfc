import { X509Certificate } from "node:crypto";
import { describe, expect, it } from "vitest";
import { parseTrustDomain, SpiffeError, type TrustBundle, verifyX509Svid } from "./index.ts";
import { createKey, createTestCa, type IssueOptions, type RawExtension } from "./testing/index.ts";

const now = new Date("2026-06-01T12:00:00Z");
const later = (minutes: number): Date => new Date(now.getTime() + minutes * 60_000);
const ca = createTestCa({ trustDomain: "shop.example", now });
const WEB = "spiffe://shop.example/web";

function verify(chain: readonly X509Certificate[], bundle: TrustBundle = ca.bundle(), at = now): string {
  const result = verifyX509Svid(chain, bundle, { at });
  return result.ok ? result.id.toString() : result.code;
}
const leaf = (options: IssueOptions = {}): string => verify(ca.issue({ uris: [WEB], ...options }).chain);
const under = (options: IssueOptions): string => verify(ca.intermediate(options).issue({ uris: [WEB] }).chain);

/** DER of a URI name, hex. */
function uriName(uri: string): string {
  const bytes = Buffer.from(uri, "latin1");
  return Buffer.concat([Buffer.of(0x86, bytes.length), bytes]).toString("hex");
}

/** A subject alternative name extension with the given names, hex. */
function sanOf(...names: readonly string[]): RawExtension {
  const content = Buffer.from(names.join(""), "hex");
  return { oid: "2.5.29.17", critical: true, value: Buffer.concat([Buffer.of(0x30, content.length), content]) };
}

describe("a sound X.509-SVID", () => {
  it("verifies with names that are put together by hand", () => {
    expect(leaf({ uris: [], extensions: [sanOf(uriName(WEB))] })).toBe(WEB);
  });

  it("verifies, and names its identity and leaf", () => {
    const web = ca.issue({ uris: [WEB] });
    const result = verifyX509Svid(web.chain, ca.bundle(), { at: now });
    expect(result).toMatchObject({ ok: true, leaf: web.certificate });
    expect(result.ok && result.id.toString()).toBe(WEB);
  });

  it("may have any number of other names beside its one URI (X-1)", () => {
    expect(leaf({ dns: ["web", "web.shop.example"], ips: ["127.0.0.1", "::1"] })).toBe(WEB);
  });

  it("may be of any accepted kind of key, and issued by one", () => {
    for (const keyKind of ["p256", "p384", "rsa2048", "ed25519"] as const) {
      expect(leaf({ keyKind })).toBe(WEB);
      const other = createTestCa({ trustDomain: "shop.example", now, keyKind });
      expect(verify(other.issue({ uris: [WEB] }).chain, other.bundle())).toBe(WEB);
    }
  });

  it("may have no extended key usage (X-5)", () => {
    expect(leaf({ extendedKeyUsage: undefined })).toBe(WEB);
  });

  it("may have a subject, in any alphabet, and then uncritical alternative names (X-6)", () => {
    expect(leaf({ subject: "Wëb 店", sanCritical: false })).toBe(WEB);
  });

  it("may carry unknown extensions that are not critical", () => {
    expect(leaf({ extensions: [{ oid: "1.3.6.1.4.1.99999.1", value: Buffer.from("0500", "hex") }] })).toBe(WEB);
  });
});

describe("a leaf without the profile is refused", () => {
  it.each<[string, IssueOptions, string]>([
    ["two URI names (X-1)", { uris: [WEB, "spiffe://shop.example/db"] }, "ERR_SPIFFE_SVID_MANY_URIS"],
    ["the same URI name twice (X-1)", { uris: [WEB, WEB] }, "ERR_SPIFFE_SVID_MANY_URIS"],
    ["a second URI of another scheme (X-1)", { uris: [WEB, "https://shop.example"] }, "ERR_SPIFFE_SVID_MANY_URIS"],
    ["DNS names only (X-1)", { uris: [], dns: ["web.shop.example"] }, "ERR_SPIFFE_SVID_NO_URI"],
    ["no names at all (X-1)", { uris: [] }, "ERR_SPIFFE_SVID_NO_URI"],
    ["a URI that is no SPIFFE ID (X-1)", { uris: ["https://shop.example/web"] }, "ERR_SPIFFE_SVID_ID"],
    ["a SPIFFE ID in another spelling (ID-5)", { uris: ["spiffe://SHOP.example/web"] }, "ERR_SPIFFE_SVID_ID"],
    ["a zero byte in the URI", { uris: [`${WEB}\0.evil`] }, "ERR_SPIFFE_SVID_ID"],
    ["a root path (X-2)", { uris: ["spiffe://shop.example"] }, "ERR_SPIFFE_SVID_ROOT_PATH"],
    ["cA (X-3, X-8)", { ca: true, keyUsage: ["keyCertSign"] }, "ERR_SPIFFE_SVID_IS_CA"],
    ["no key usage (X-4)", { keyUsage: undefined }, "ERR_SPIFFE_SVID_NO_KEY_USAGE"],
    ["keyCertSign (X-4)", { keyUsage: ["digitalSignature", "keyCertSign"] }, "ERR_SPIFFE_SVID_SIGNING_KEY_USAGE"],
    ["cRLSign (X-4)", { keyUsage: ["digitalSignature", "cRLSign"] }, "ERR_SPIFFE_SVID_SIGNING_KEY_USAGE"],
    ["no digitalSignature (X-4)", { keyUsage: ["keyAgreement"] }, "ERR_SPIFFE_SVID_NO_DIGITAL_SIGNATURE"],
    ["an empty key usage (X-4)", { keyUsage: [] }, "ERR_SPIFFE_SVID_NO_DIGITAL_SIGNATURE"],
    ["only the bit of the second byte (X-4)", { keyUsage: ["decipherOnly"] }, "ERR_SPIFFE_SVID_NO_DIGITAL_SIGNATURE"],
    ["an uncritical key usage (X-4)", { keyUsageCritical: false }, "ERR_SPIFFE_SVID_KEY_USAGE_NOT_CRITICAL"],
    ["serverAuth alone (X-5)", { extendedKeyUsage: ["serverAuth"] }, "ERR_SPIFFE_SVID_EXTENDED_KEY_USAGE"],
    ["clientAuth alone (X-5)", { extendedKeyUsage: ["clientAuth"] }, "ERR_SPIFFE_SVID_EXTENDED_KEY_USAGE"],
    ["another purpose (X-5)", { extendedKeyUsage: ["1.3.6.1.5.5.7.3.3"] }, "ERR_SPIFFE_SVID_EXTENDED_KEY_USAGE"],
    ["an empty subject with uncritical names (X-6)", { sanCritical: false }, "ERR_SPIFFE_SVID_SAN_NOT_CRITICAL"],
    [
      "an unknown critical extension",
      { extensions: [{ oid: "1.3.6.1.4.1.99999.1", critical: true, value: Buffer.from("0500", "hex") }] },
      "ERR_SPIFFE_CERTIFICATE_CRITICAL_EXTENSION",
    ],
    ["a weak RSA key", { keyKind: "rsa1024" }, "ERR_SPIFFE_CERTIFICATE_KEY"],
    ["a curve that nobody uses", { keyKind: "secp256k1" }, "ERR_SPIFFE_CERTIFICATE_KEY"],
    ["X.509 version 1", { version: 1 }, "ERR_SPIFFE_CERTIFICATE_VERSION"],
    ["X.509 version 2", { version: 2 }, "ERR_SPIFFE_CERTIFICATE_VERSION"],
    [
      "an extension that stands twice",
      { extensions: [{ oid: "2.5.29.17", value: Buffer.from("3000", "hex") }] },
      "ERR_SPIFFE_CERTIFICATE_MALFORMED",
    ],
    [
      "a truth value other than 0x00 and 0xff",
      { ca: undefined, extensions: [{ oid: "2.5.29.19", value: Buffer.from("3003010101", "hex") }] },
      "ERR_SPIFFE_CERTIFICATE_MALFORMED",
    ],
    [
      "an extension in BER, with a length of two bytes where one would do",
      { ca: undefined, extensions: [{ oid: "2.5.29.19", value: Buffer.from("308100", "hex") }] },
      "ERR_SPIFFE_CERTIFICATE_MALFORMED",
    ],
    [
      "bytes behind an extension's value",
      { ca: undefined, extensions: [{ oid: "2.5.29.19", value: Buffer.from("30000500", "hex") }] },
      "ERR_SPIFFE_CERTIFICATE_MALFORMED",
    ],
    [
      "a field between the key and the extensions",
      { extraFields: [Buffer.from("81020001", "hex")] },
      "ERR_SPIFFE_CERTIFICATE_MALFORMED",
    ],
    ["a negative serial number", { serial: "-ff" }, "ERR_SPIFFE_CERTIFICATE_MALFORMED"],
    [
      "a name whose tag takes two bytes, behind which others could hide",
      { uris: [], extensions: [sanOf(uriName(WEB), "9f020100")] },
      "ERR_SPIFFE_CERTIFICATE_MALFORMED",
    ],
    [
      "a name of another class than a general name's",
      { uris: [], extensions: [sanOf(uriName(WEB), "46020100")] },
      "ERR_SPIFFE_CERTIFICATE_MALFORMED",
    ],
    [
      "key usage bits that the bit string says are not used",
      {
        keyUsage: undefined,
        extensions: [{ oid: "2.5.29.15", critical: true, value: Buffer.from("03020781", "hex") }],
      },
      "ERR_SPIFFE_CERTIFICATE_MALFORMED",
    ],
    [
      "basic constraints with a part too many",
      { ca: undefined, extensions: [{ oid: "2.5.29.19", value: Buffer.from("3009010100020100020100", "hex") }] },
      "ERR_SPIFFE_CERTIFICATE_MALFORMED",
    ],
    ["a signature with SHA-1", { digest: "sha1" }, "ERR_SPIFFE_CHAIN_ALGORITHM"],
    ["a signature by another key", { signWith: createKey() }, "ERR_SPIFFE_CHAIN_SIGNATURE"],
    ["an end in the past", { notAfter: later(-1) }, "ERR_SPIFFE_CHAIN_EXPIRED"],
    ["a start in the future", { notBefore: later(1) }, "ERR_SPIFFE_CHAIN_NOT_YET_VALID"],
  ])("%s", (_rule, options, code) => {
    expect(leaf(options)).toBe(code);
  });
});

it("a leaf that names two signature algorithms is refused", () => {
  const hex = ca.issue({ uris: [WEB] }).certificate.raw.toString("hex");
  const at = hex.lastIndexOf("2a8648ce3d040302");
  const changed = `${hex.slice(0, at)}2a8648ce3d040303${hex.slice(at + 16)}`;
  expect(verify([new X509Certificate(Buffer.from(changed, "hex"))])).toBe("ERR_SPIFFE_CERTIFICATE_MALFORMED");
});

describe("a path (RFC 5280, section 6)", () => {
  it("leads over intermediates in any order, and over those that lead nowhere", () => {
    const deep = ca
      .intermediate()
      .intermediate()
      .issue({ uris: [WEB] });
    const [first, second, third] = deep.chain;
    const stray = createTestCa({ trustDomain: "shop.example", now }).intermediate().certificate;
    if (!first || !second || !third) throw new TypeError("three certificates expected");
    expect(verify([first, second, third])).toBe(WEB);
    expect(verify([first, stray, third, second, ca.root])).toBe(WEB);
  });

  it("leads over issuers with any SPIFFE ID of their own, or none (X-7)", () => {
    for (const uris of [[], ["spiffe://upstream.example"], ["https://ca.example"]]) {
      const root = createTestCa({ trustDomain: "shop.example", now, uris });
      expect(verify(root.intermediate({ uris }).issue({ uris: [WEB] }).chain, root.bundle())).toBe(WEB);
    }
  });

  it("does not end at a root that comes with the chain", () => {
    const rogue = createTestCa({ trustDomain: "shop.example", now, subject: "Rogue" });
    expect(verify([...rogue.issue({ uris: [WEB] }).chain, rogue.root])).toBe("ERR_SPIFFE_CHAIN_UNKNOWN_AUTHORITY");
  });

  it("is refused without the intermediate", () => {
    expect(
      verify(
        ca
          .intermediate()
          .issue({ uris: [WEB] })
          .chain.slice(0, 1),
      ),
    ).toBe("ERR_SPIFFE_CHAIN_UNKNOWN_AUTHORITY");
  });

  it("may end at an authority of the bundle that is not self-signed", () => {
    const middle = ca.intermediate();
    expect(verify(middle.issue({ uris: [WEB] }).chain, ca.bundle([middle.certificate]))).toBe(WEB);
  });

  it("picks the right one of two authorities with the same name", () => {
    const twin = createTestCa({ trustDomain: "shop.example", now });
    expect(verify(ca.issue({ uris: [WEB] }).chain, ca.bundle([twin.root, ca.root]))).toBe(WEB);
    expect(verify(ca.issue({ uris: [WEB] }).chain, twin.bundle())).toBe("ERR_SPIFFE_CHAIN_SIGNATURE");
  });

  it("compares names byte for byte: the issuer's name in another case leads nowhere", () => {
    const other = createTestCa({
      trustDomain: "shop.example",
      now,
      subject: "TEST root shop.example",
      privateKey: ca.privateKey,
    });
    expect(verify(ca.issue({ uris: [WEB] }).chain, other.bundle())).toBe("ERR_SPIFFE_CHAIN_UNKNOWN_AUTHORITY");
  });

  it("ends in the bundle of the leaf's own trust domain only (X-10, B-6)", () => {
    expect(leaf({ uris: ["spiffe://other.example/web"] })).toBe("ERR_SPIFFE_CHAIN_TRUST_DOMAIN");
    const foreign = { ...ca.bundle(), trustDomain: parseTrustDomain("other.example") };
    expect(verify(ca.issue({ uris: [WEB] }).chain, foreign)).toBe("ERR_SPIFFE_CHAIN_TRUST_DOMAIN");
  });

  it("leads nowhere with an empty bundle (B-1)", () => {
    expect(verify(ca.issue({ uris: [WEB] }).chain, ca.bundle([]))).toBe("ERR_SPIFFE_CHAIN_UNKNOWN_AUTHORITY");
  });

  it("does not begin at an authority of the bundle, nor at a leaf that was put there", () => {
    const web = ca.issue({ uris: [WEB] });
    expect(verify([web.certificate], ca.bundle([web.certificate]))).toBe("ERR_SPIFFE_CHAIN_UNKNOWN_AUTHORITY");
    const self = createTestCa({
      trustDomain: "shop.example",
      now,
      uris: [WEB],
      ca: false,
      keyUsage: ["digitalSignature"],
    });
    expect(verify([self.root], self.bundle())).toBe("ERR_SPIFFE_CHAIN_ISSUER_NOT_CA");
  });

  it.each<[string, IssueOptions, string]>([
    ["no CA (X-3)", { ca: false }, "ERR_SPIFFE_CHAIN_ISSUER_NOT_CA"],
    ["no basic constraints (X-3)", { ca: undefined }, "ERR_SPIFFE_CHAIN_ISSUER_NOT_CA"],
    ["no keyCertSign (X-4)", { keyUsage: ["cRLSign"] }, "ERR_SPIFFE_CHAIN_ISSUER_KEY_USAGE"],
    ["no key usage (X-4)", { keyUsage: undefined }, "ERR_SPIFFE_CHAIN_ISSUER_KEY_USAGE"],
    ["half a purpose (X-5)", { extendedKeyUsage: ["serverAuth"] }, "ERR_SPIFFE_CHAIN_ISSUER_EXTENDED_KEY_USAGE"],
    ["expired", { notAfter: later(-1) }, "ERR_SPIFFE_CHAIN_EXPIRED"],
    ["not yet valid", { notBefore: later(1) }, "ERR_SPIFFE_CHAIN_NOT_YET_VALID"],
    ["signed by another key", { signWith: createKey() }, "ERR_SPIFFE_CHAIN_SIGNATURE"],
    ["signed with SHA-1", { digest: "sha1" }, "ERR_SPIFFE_CHAIN_ALGORITHM"],
    ["weak", { keyKind: "rsa1024" }, "ERR_SPIFFE_CERTIFICATE_KEY"],
    [
      "with name constraints, critical or not (X-9)",
      { extensions: [{ oid: "2.5.29.30", value: Buffer.from("3000", "hex") }] },
      "ERR_SPIFFE_CERTIFICATE_NAME_CONSTRAINTS",
    ],
    [
      "with an unknown critical extension",
      { extensions: [{ oid: "2.5.29.36", critical: true, value: Buffer.from("3000", "hex") }] },
      "ERR_SPIFFE_CERTIFICATE_CRITICAL_EXTENSION",
    ],
  ])("is refused over an intermediate: %s", (_rule, options, code) => {
    expect(under(options)).toBe(code);
    expect(under({})).toBe(WEB);
  });

  it.each<[string, IssueOptions, string]>([
    ["expired", { notAfter: later(-1) }, "ERR_SPIFFE_CHAIN_EXPIRED"],
    ["no CA", { ca: false }, "ERR_SPIFFE_CHAIN_ISSUER_NOT_CA"],
    ["no keyCertSign", { keyUsage: ["digitalSignature"] }, "ERR_SPIFFE_CHAIN_ISSUER_KEY_USAGE"],
  ])("holds the authority to the same rules: %s", (_rule, options, code) => {
    const bad = createTestCa({ trustDomain: "shop.example", now, ...options });
    expect(verify(bad.issue({ uris: [WEB] }).chain, bad.bundle())).toBe(code);
  });

  it("never ends below a leaf that plays issuer", () => {
    const web = ca.issue({ uris: [WEB], subject: "web", sanCritical: false });
    const forged = createTestCa({ trustDomain: "shop.example", now, subject: "web", privateKey: web.privateKey });
    const victim = forged.issue({ uris: ["spiffe://shop.example/db"] });
    expect(verify([victim.certificate, web.certificate])).toBe("ERR_SPIFFE_CHAIN_ISSUER_NOT_CA");
  });
});

describe("path length", () => {
  const chainUnder = (pathLength: number, depth: number): string => {
    const root = createTestCa({ trustDomain: "shop.example", now, pathLength });
    let issuer = root;
    for (let level = 0; level < depth; level++) issuer = issuer.intermediate();
    return verify(issuer.issue({ uris: [WEB] }).chain, root.bundle());
  };

  it("counts the intermediates below each issuer", () => {
    expect(chainUnder(0, 0)).toBe(WEB);
    expect(chainUnder(0, 1)).toBe("ERR_SPIFFE_CHAIN_PATH_LENGTH");
    expect(chainUnder(1, 1)).toBe(WEB);
    expect(chainUnder(1, 2)).toBe("ERR_SPIFFE_CHAIN_PATH_LENGTH");
  });

  it("binds intermediates too", () => {
    const narrow = ca.intermediate({ pathLength: 0 });
    expect(verify(narrow.issue({ uris: [WEB] }).chain)).toBe(WEB);
    expect(verify(narrow.intermediate().issue({ uris: [WEB] }).chain)).toBe("ERR_SPIFFE_CHAIN_PATH_LENGTH");
  });
});

describe("time", () => {
  const web = ca.issue({ uris: [WEB], notBefore: later(-10), notAfter: later(10) });

  it("includes both ends of the validity", () => {
    expect(verify(web.chain, ca.bundle(), later(-10))).toBe(WEB);
    expect(verify(web.chain, ca.bundle(), later(10))).toBe(WEB);
    expect(verify(web.chain, ca.bundle(), new Date(later(-10).getTime() - 1))).toBe("ERR_SPIFFE_CHAIN_NOT_YET_VALID");
    expect(verify(web.chain, ca.bundle(), new Date(later(10).getTime() + 1))).toBe("ERR_SPIFFE_CHAIN_EXPIRED");
  });

  it("refuses at an invalid date", () => {
    expect(verify(web.chain, ca.bundle(), new Date(Number.NaN))).toBe("ERR_SPIFFE_CHAIN_NOT_YET_VALID");
  });

  it("reads years before and after 2050", () => {
    expect(leaf({ notAfter: new Date("2049-12-31T23:59:59Z") })).toBe(WEB);
    expect(leaf({ notAfter: new Date("2050-01-01T00:00:00Z") })).toBe(WEB);
    expect(leaf({ notBefore: new Date("1950-01-01T00:00:00Z") })).toBe(WEB);
  });
});

describe("hostile chains", () => {
  it("are refused when empty or too long", () => {
    expect(verify([])).toBe("ERR_SPIFFE_CHAIN_EMPTY");
    const web = ca.issue({ uris: [WEB] });
    expect(verify(Array<X509Certificate>(9).fill(web.certificate))).toBe("ERR_SPIFFE_CHAIN_TOO_LONG");
  });

  it("of issuers that certify each other cost a bounded number of signature checks", () => {
    const key = createKey();
    const outsider = createTestCa({ trustDomain: "shop.example", now, subject: "loop", privateKey: key });
    const loops = Array.from(
      { length: 7 },
      () => outsider.intermediate({ subject: "loop", privateKey: key }).certificate,
    );
    const web = outsider.issue({ uris: [WEB] });
    const started = performance.now();
    expect(verify([web.certificate, ...loops])).toBe("ERR_SPIFFE_CHAIN_TOO_COMPLEX");
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it("never make it throw: certificates with a byte changed, cut or added", () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const random = randomFrom(seed);
    const chain = ca.intermediate().issue({ uris: [WEB], dns: ["web"] }).chain;
    let opened = 0;
    for (let round = 0; round < 3_000; round++) {
      const mutated = chain.map((certificate) => mutate(certificate.raw, random)).map(open);
      if (mutated.some((certificate) => certificate === undefined)) continue;
      opened += 1;
      const certificates = mutated.flatMap((certificate) => certificate ?? []);
      const code = verify(certificates);
      const intact = certificates.every((certificate, at) => chain[at]?.raw.equals(certificate.raw));
      // Whatever changed, either nothing did or the chain no longer verifies.
      expect([seed, round, intact ? WEB : code]).toEqual([seed, round, code]);
      if (!intact) expect([seed, round, code]).not.toEqual([seed, round, WEB]);
    }
    expect(opened).toBeGreaterThan(300);
  });
});

/** A small generator of numbers in [0, 1), for repeatable mutations. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

function mutate(der: Buffer, random: () => number): Buffer {
  const bytes = Buffer.from(der);
  const at = Math.floor(random() * bytes.length);
  const kind = random();
  if (kind < 0.4) return bytes;
  if (kind < 0.9) bytes[at] = Math.floor(random() * 256);
  else if (kind < 0.95) return bytes.subarray(0, at);
  else return Buffer.concat([bytes.subarray(0, at), Buffer.of(Math.floor(random() * 256)), bytes.subarray(at)]);
  return bytes;
}

function open(der: Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(der);
  } catch (error) {
    expect(error).not.toBeInstanceOf(SpiffeError);
    return undefined;
  }
}
