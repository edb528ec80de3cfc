import { createPublicKey, randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseSpiffeId, parseTrustDomain } from "../spiffe/index.ts";
import { childrenOf, parseDer, Tag, toDer } from "./der.ts";
import { signIntermediate, signLeaf, signRoot } from "./profile.ts";
import { freshKey } from "./testing/certificate-request.ts";

const trustDomain = parseTrustDomain("shop.example");
const validity = { notBefore: new Date("2026-01-01T00:00:00Z"), notAfter: new Date("2059-12-31T23:59:59Z") };
const root = signRoot({ trustDomain, key: freshKey(), validity, random: randomBytes });
const issuer = signIntermediate({ trustDomain, key: freshKey(), issuer: root, validity, random: randomBytes });
const publicKey = createPublicKey(freshKey());

/** All that is signed. */
const toBeSigned = (der: Buffer): string => {
  const [tbs] = childrenOf(parseDer(der), Tag.SEQUENCE);
  if (tbs === undefined) throw new Error("no certificate");
  return toDer(tbs).toString("hex");
};

describe("the writer of leaves", () => {
  it("writes the bytes that the encoder makes of the profile's tree, whatever the serial, times and identity", () => {
    const anything = fc.record({
      serial: fc.uint8Array({ minLength: 16, maxLength: 16 }).filter((bytes) => bytes.some((byte) => byte !== 0)),
      path: fc.stringMatching(/^(\/[a-zA-Z0-9._-]{1,40}){1,8}$/).filter((path) => !/\/\.{1,2}(\/|$)/.test(path)),
      times: fc.tuple(
        fc.date({ min: new Date("2027-01-01"), max: new Date("2049-12-31"), noInvalidDate: true }),
        fc.date({ min: new Date("2050-01-01"), max: new Date("2059-01-01"), noInvalidDate: true }),
      ),
    });
    fc.assert(
      fc.property(anything, ({ path, serial, times: [notBefore, notAfter] }) => {
        const id = parseSpiffeId(`spiffe://shop.example${path}`);
        const parts = { id, publicKey, issuer, validity: { notBefore, notAfter }, random: () => Buffer.from(serial) };
        expect(toBeSigned(signLeaf(parts).der)).toBe(toBeSigned(signLeaf({ ...parts, hosts: {} }).der));
      }),
      { numRuns: 100 },
    );
  });

  it("writes lengths of one, two and three bytes", () => {
    for (const length of [1, 100, 200, 1_900]) {
      const id = parseSpiffeId(`spiffe://shop.example/${"a".repeat(length)}`);
      const serial = Buffer.from("00ff0000000000000000000000000001", "hex");
      const parts = { id, publicKey, issuer, validity, random: () => serial };
      expect(toBeSigned(signLeaf(parts).der)).toBe(toBeSigned(signLeaf({ ...parts, hosts: {} }).der));
    }
  });
});
