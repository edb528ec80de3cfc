import { createPrivateKey, createPublicKey } from "node:crypto";
import { describe, expect, it } from "vitest";
import { certificatesFromPem, certificatesToPem, parseX509Svid, publicKeyFingerprint } from "./index.ts";
import { createKey, createTestCa } from "./testing/index.ts";

const ca = createTestCa({ trustDomain: "shop.example" });
const middle = ca.intermediate();
const web = middle.issue({ uris: ["spiffe://shop.example/web"], serial: "00ff00ff" });
const withCode = (code: string) => expect.objectContaining({ code });

describe("parseX509Svid", () => {
  it("reads PEM and DER alike", () => {
    const fromPem = parseX509Svid({ chain: web.chainPem, privateKey: web.keyPem });
    const fromDer = parseX509Svid({ chain: web.chain.map(({ raw }) => raw), privateKey: web.privateKey });
    for (const svid of [fromPem, fromDer]) {
      expect(svid.id.toString()).toBe("spiffe://shop.example/web");
      expect(svid.chain.map(({ raw }) => raw)).toEqual([web.certificate.raw, middle.certificate.raw]);
      expect(svid.serial).toBe("ff00ff");
      expect(svid.notAfter.getTime()).toBe(new Date(web.certificate.validTo).getTime());
      expect(svid.notBefore.getTime()).toBe(new Date(web.certificate.validFrom).getTime());
      expect(svid.privateKey.equals(web.privateKey)).toBe(true);
    }
  });

  it("refuses a key that is not the certificate's, or no private key", () => {
    const chain = web.chainPem;
    expect(() => parseX509Svid({ chain, privateKey: createKey() })).toThrow(withCode("ERR_SPIFFE_SVID_KEY_MISMATCH"));
    const publicKey = createPublicKey(web.privateKey);
    expect(() => parseX509Svid({ chain, privateKey: publicKey })).toThrow(withCode("ERR_SPIFFE_SVID_KEY_MISMATCH"));
    expect(() => parseX509Svid({ chain, privateKey: chain })).toThrow(withCode("ERR_SPIFFE_SVID_KEY_MALFORMED"));
  });

  it("repeats nothing of a key that it cannot read", () => {
    const broken = web.keyPem.replace("MIG", "MIX");
    expect(() => createPrivateKey(broken)).toThrow();
    try {
      parseX509Svid({ chain: web.chainPem, privateKey: broken });
      expect.unreachable();
    } catch (error) {
      expect(String(error)).not.toContain(broken.split("\n")[1]);
      expect(error).not.toHaveProperty("cause");
    }
  });

  it("refuses a leaf without the profile and a chain of leaves", () => {
    const signing = { chain: middle.chainPem, privateKey: middle.privateKey };
    expect(() => parseX509Svid(signing)).toThrow(withCode("ERR_SPIFFE_SVID_ROOT_PATH"));
    const twice = { chain: web.certPem + web.certPem, privateKey: web.privateKey };
    expect(() => parseX509Svid(twice)).toThrow(withCode("ERR_SPIFFE_CHAIN_ISSUER_NOT_CA"));
    const two = middle.issue({ uris: ["spiffe://shop.example/a", "spiffe://shop.example/b"] });
    expect(() => two.svid()).toThrow(withCode("ERR_SPIFFE_SVID_MANY_URIS"));
  });

  it("refuses an empty chain, PEM where DER is due, and stray bytes", () => {
    const privateKey = web.privateKey;
    expect(() => parseX509Svid({ chain: [], privateKey })).toThrow(withCode("ERR_SPIFFE_CHAIN_EMPTY"));
    const malformed = withCode("ERR_SPIFFE_CERTIFICATE_MALFORMED");
    expect(() => parseX509Svid({ chain: [Buffer.from(web.certPem)], privateKey })).toThrow(malformed);
    expect(() => parseX509Svid({ chain: [Buffer.concat([web.certificate.raw, Buffer.of(0)])], privateKey })).toThrow(
      malformed,
    );
    expect(() => parseX509Svid({ chain: [Buffer.alloc(0)], privateKey })).toThrow(malformed);
  });
});

describe("PEM", () => {
  it("holds certificates one after the other, with text between them", () => {
    const text = `subject=web\n${web.certPem}\nissuer\r\n${middle.certPem.replaceAll("\n", "\r\n")}`;
    expect(certificatesToPem(certificatesFromPem(text))).toBe(web.chainPem);
    expect(web.certificate.toString()).toBe(web.certPem);
  });

  it.each<[string, string]>([
    ["nothing", ""],
    ["no block", "hello"],
    ["a private key", web.keyPem],
    ["a key beside a certificate", web.certPem + web.keyPem],
    ["a block cut short", web.certPem.slice(0, -30)],
    ["a block cut short before another", web.certPem.slice(0, 200) + web.certPem],
    ["a block with strange characters", web.certPem.replace("MII", "M!I")],
    ["base64 without its padding", web.certPem.replace("MII", "MI")],
    ["labels that differ", web.certPem.replace("END CERTIFICATE", "END X509 CRL")],
  ])("is refused: %s", (_what, text) => {
    expect(() => certificatesFromPem(text)).toThrow(withCode("ERR_SPIFFE_PEM"));
  });

  it("is refused when a block holds something other than a certificate", () => {
    const text = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    expect(() => certificatesFromPem(text)).toThrow(withCode("ERR_SPIFFE_CERTIFICATE_MALFORMED"));
  });
});

describe("publicKeyFingerprint", () => {
  it("depends on the key alone", () => {
    const again = middle.issue({ uris: ["spiffe://shop.example/other"], privateKey: web.privateKey });
    expect(publicKeyFingerprint(again.certificate)).toBe(publicKeyFingerprint(web.certificate));
    expect(publicKeyFingerprint(middle.certificate)).not.toBe(publicKeyFingerprint(web.certificate));
    expect(publicKeyFingerprint(web.certificate)).toMatch(/^[0-9a-f]{64}$/);
  });
});
