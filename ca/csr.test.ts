import { execFileSync } from "node:child_process";
import { createPublicKey, generateKeyPairSync, sign } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseSpiffeId } from "../spiffe/index.ts";
import { CaError } from "./ca-error.ts";
import { parseCsr } from "./csr.ts";
import { bitString, oid, parseDer, sequence, toDer } from "./der.ts";
import { bytesOf, readSlices, SliceTag, slicesIn } from "./der-slices.ts";
import { OID } from "./oids.ts";
import { spkiOf } from "./public-key.ts";
import { makeFolder, removeFolder } from "./testing/authority.ts";
import { certificateRequest, freshKey } from "./testing/certificate-request.ts";

const id = parseSpiffeId("spiffe://shop.example/shop/web");
const refused = expect.objectContaining({ code: "ERR_CA_CSR" });

describe("parseCsr", () => {
  let folder: string;
  beforeAll(async () => {
    folder = await makeFolder();
  });
  afterAll(() => removeFolder(folder));

  /** A request as OpenSSL makes it. */
  const openssl = async (newKey: readonly string[], ...more: readonly string[]): Promise<Buffer> => {
    const [key, out] = [join(folder, "k.pem"), join(folder, "r.der")];
    const args = [
      "req",
      "-new",
      "-nodes",
      ...newKey,
      "-keyout",
      key,
      "-subj",
      "/CN=ignored",
      "-outform",
      "DER",
      "-out",
      out,
      ...more,
    ];
    execFileSync("openssl", args, { stdio: "pipe" });
    return readFile(out);
  };
  const p256 = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"];

  it("returns the key that the request proves possession of", () => {
    const key = freshKey();
    expect(parseCsr(certificateRequest({ key }), id).equals(createPublicKey(key))).toBe(true);
  });

  it("notes the key's own encoding, byte for byte as it would be exported", () => {
    const key = parseCsr(certificateRequest({ key: freshKey() }), id);
    expect(spkiOf(key)).toEqual(key.export({ type: "spki", format: "der" }));
  });

  it("reads what OpenSSL makes, with subject and other names, and ignores both", async () => {
    const der = await openssl(p256, "-addext", `subjectAltName=URI:${id},DNS:admin.example,IP:10.0.0.1`);
    expect(parseCsr(der, id).asymmetricKeyDetails).toEqual({ namedCurve: "prime256v1" });
  });

  it("refuses a URI name other than the identity that is due, wherever it stands", async () => {
    const der = await openssl(
      p256,
      "-addext",
      `subjectAltName=DNS:a.example,URI:${id},URI:spiffe://shop.example/shop/db`,
    );
    expect(() => parseCsr(der, id)).toThrow(
      expect.objectContaining({
        code: "ERR_CA_CSR",
        message: expect.stringContaining("spiffe://shop.example/shop/db"),
      }),
    );
    expect(() => parseCsr(certificateRequest({ uris: [`${id}/x`] }), id)).toThrow(refused);
  });

  it("accepts the identity that is due as URI name", () => {
    expect(() => parseCsr(certificateRequest({ uris: [id.toString()], dnsNames: ["x.example"] }), id)).not.toThrow();
  });

  it.each([
    ["RSA", ["-newkey", "rsa:2048"]],
    ["P-384", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"]],
    ["Ed25519", ["-newkey", "ed25519"]],
    ["P-256 with explicit parameters", [...p256, "-pkeyopt", "ec_param_enc:explicit"]],
    ["P-256 signed with SHA-1", [...p256, "-sha1"]],
    ["P-256 signed with SHA-512", [...p256, "-sha512"]],
  ])("refuses %s", async (_, newKey) => {
    const der = await openssl(newKey);
    expect(() => parseCsr(der, id)).toThrow(refused);
  });

  it("refuses a request that another key has signed", () => {
    expect(() => parseCsr(certificateRequest({ signer: freshKey() }), id)).toThrow(
      expect.objectContaining({ message: expect.stringContaining("signature") }),
    );
  });

  it("refuses another version and a request over 8 KiB", () => {
    expect(() => parseCsr(certificateRequest({ version: 1 }), id)).toThrow(refused);
    const long = certificateRequest({
      dnsNames: Array.from({ length: 400 }, (_, index) => `name-${index}.shop.example.com`),
    });
    expect(() => parseCsr(long, id)).toThrow(expect.objectContaining({ message: expect.stringContaining("8192") }));
  });

  it("refuses a point that is not on the curve", () => {
    const der = certificateRequest();
    const spki = createPublicKey(freshKey()).export({ type: "spki", format: "der" });
    const start = der.indexOf(spki.subarray(0, 27)) + 27;
    der.fill(0x01, start, start + 64);
    expect(() => parseCsr(der, id)).toThrow(expect.objectContaining({ message: expect.stringContaining("key") }));
  });

  it("refuses a point in hybrid form, however well it is signed", () => {
    const key = freshKey();
    const [info] = slicesIn(readSlices(certificateRequest({ key })), SliceTag.SEQUENCE);
    if (info === undefined) throw new Error("no request");
    const bytes = Buffer.from(bytesOf(info));
    const signed = () => {
      const signature = bitString(sign("sha256", bytes, key));
      return toDer(sequence(parseDer(bytes), sequence(oid(OID.ecdsaWithSha256)), signature));
    };
    const point = bytes.indexOf(spkiOf(createPublicKey(key)).subarray(-65));
    expect(parseCsr(signed(), id).equals(createPublicKey(key))).toBe(true);
    bytes[point] = 0x06 + ((bytes[point + 64] ?? 0) & 1);
    expect(() => parseCsr(signed(), id)).toThrow(expect.objectContaining({ message: expect.stringContaining("key") }));
  });

  it.each<[string, (der: Buffer) => Buffer]>([
    ["nothing at all", () => Buffer.alloc(0)],
    ["bytes after its end", (der) => Buffer.concat([der, Buffer.from([0])])],
    ["its end missing", (der) => der.subarray(0, -1)],
    [
      "a length in a longer form than needed",
      (der) => Buffer.concat([Buffer.from([0x30, 0x82, 0x00]), der.subarray(der[1] === 0x81 ? 2 : 3)]),
    ],
    [
      "an indefinite length",
      (der) => Buffer.concat([Buffer.from([0x30, 0x80]), der.subarray(der[1] === 0x81 ? 3 : 4), Buffer.from([0, 0])]),
    ],
    ["a version with leading zeros", (der) => lengthened(der, Buffer.from([2, 1, 0]), Buffer.from([2, 2, 0, 0]))],
  ])("refuses a request with %s", (_, spoil) => {
    const key = freshKey();
    expect(() => parseCsr(spoil(certificateRequest({ key })), id)).toThrow(refused);
  });

  it("answers any bytes at all with a key or with its own error", () => {
    const seeds = [certificateRequest(), certificateRequest({ uris: [id.toString()], dnsNames: ["a.example"] })];
    const edits = fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(fc.constantFrom(...seeds), edits, fc.nat(400), (seed, changes, cut) => {
        const bytes = Buffer.from(cut > 300 ? seed.subarray(0, cut % seed.length) : seed);
        for (const [at, value] of changes) bytes[at % Math.max(bytes.length, 1)] = value;
        try {
          parseCsr(bytes, id);
        } catch (error) {
          expect(error).toBeInstanceOf(CaError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it("accepts no change of a single byte", () => {
    const seed = certificateRequest({ uris: [id.toString()] });
    for (let at = 0; at < seed.length; at += 1) {
      const bytes = Buffer.from(seed);
      bytes[at] = (bytes[at] ?? 0) ^ 0x01;
      expect(() => parseCsr(bytes, id), `byte ${at}`).toThrow(refused);
    }
  });

  it("takes no P-256 key from a private-key file", () => {
    const pkcs8 = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({
      type: "pkcs8",
      format: "der",
    });
    expect(() => parseCsr(pkcs8, id)).toThrow(refused);
  });
});

/** Puts a longer encoding in place of a short one, right below the two outermost sequences. */
function lengthened(der: Buffer, from: Buffer, to: Buffer): Buffer {
  const at = der.indexOf(from);
  const body = Buffer.concat([der.subarray(0, at), to, der.subarray(at + from.length)]);
  const grow = to.length - from.length;
  const bump = (offset: number) => {
    const long = (body[offset] ?? 0) >= 0x80 ? offset + ((body[offset] ?? 0) & 0x7f) : offset;
    body[long] = (body[long] ?? 0) + grow;
    return long + 2;
  };
  bump(bump(1));
  return body;
}
