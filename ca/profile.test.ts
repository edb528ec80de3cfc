import { execFileSync } from "node:child_process";
import { createPublicKey, type KeyObject, randomBytes, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connect, createServer, type TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseSpiffeId, parseTrustDomain, type SpiffeId, verifyX509Svid } from "../spiffe/index.ts";
import { childrenOf, parseDer, Tag, toDer } from "./der.ts";
import type { HostNames } from "./extensions.ts";
import { resolveLifetimes, validityFrom } from "./lifetimes.ts";
import {
  type Issuer,
  issuerOf,
  type SignedCertificate,
  serialNumberOf,
  signIntermediate,
  signLeaf,
  signRoot,
} from "./profile.ts";
import { makeFolder, removeFolder } from "./testing/authority.ts";
import { freshKey } from "./testing/certificate-request.ts";

const trustDomain = parseTrustDomain("shop.example");
const lifetimes = resolveLifetimes();
const now = new Date();
const id = parseSpiffeId("spiffe://shop.example/shop/web");

describe("certificate profile", () => {
  const rootKey = freshKey();
  const root = signRoot({
    trustDomain,
    key: rootKey,
    validity: validityFrom(now, lifetimes.rootSeconds, lifetimes),
    random: randomBytes,
  });
  const below = (issuer: Issuer, seconds = lifetimes.intermediateSeconds): Issuer =>
    signIntermediate({
      trustDomain,
      key: freshKey(),
      issuer,
      validity: validityFrom(now, seconds, lifetimes),
      random: randomBytes,
    });
  const intermediate = below(root);
  const sign = (
    options: {
      id?: SpiffeId;
      key?: KeyObject;
      hosts?: HostNames;
      seconds?: number;
      issuer?: Issuer;
      random?: (size: number) => Buffer;
    } = {},
  ): SignedCertificate =>
    signLeaf({
      id: options.id ?? id,
      publicKey: createPublicKey(options.key ?? freshKey()),
      issuer: options.issuer ?? intermediate,
      validity: validityFrom(now, options.seconds ?? 3600, lifetimes),
      random: options.random ?? randomBytes,
      hosts: options.hosts ?? {},
    });
  const leaf = new X509Certificate(sign().der);

  let folder: string;
  beforeAll(async () => {
    folder = await makeFolder();
    await writeFile(join(folder, "root.pem"), root.certificate.toString());
    await writeFile(join(folder, "intermediate.pem"), intermediate.certificate.toString());
  });
  afterAll(() => removeFolder(folder));

  const text = async (certificate: X509Certificate): Promise<string> => {
    const file = join(folder, `${serialNumberOf(certificate)}.pem`);
    await writeFile(file, certificate.toString());
    return execFileSync("openssl", ["x509", "-in", file, "-noout", "-text"], { encoding: "utf8" });
  };
  const verifyStrictly = async (certificate: X509Certificate, purpose: string): Promise<string> => {
    const [leafFile, rootFile, untrusted] = ["leaf.pem", "root.pem", "intermediate.pem"].map((name) =>
      join(folder, name),
    );
    await writeFile(String(leafFile), certificate.toString());
    const args = [
      "-x509_strict",
      "-purpose",
      purpose,
      "-CAfile",
      String(rootFile),
      "-untrusted",
      String(untrusted),
      String(leafFile),
    ];
    return execFileSync("openssl", ["verify", ...args], { encoding: "utf8", stdio: "pipe" });
  };
  /** `name: [critical] value` of every extension, as OpenSSL reads them. */
  const extensions = async (certificate: X509Certificate): Promise<string[]> => {
    const [, list = ""] = (await text(certificate)).split("X509v3 extensions:\n");
    const lines =
      list
        .split("    Signature Algorithm")[0]
        ?.split("\n")
        .map((line) => line.trim()) ?? [];
    return lines
      .filter((line) => line !== "")
      .map((line) => line.replace(/\b([0-9A-F]{2}:){19}[0-9A-F]{2}\b/, "<key id>"));
  };

  it("X-1, X-3, X-4, X-5, X-6: a leaf says digitalSignature, both uses, one critical URI, and no more", async () => {
    expect(await extensions(leaf)).toEqual([
      "X509v3 Basic Constraints: critical",
      "CA:FALSE",
      "X509v3 Key Usage: critical",
      "Digital Signature",
      "X509v3 Extended Key Usage:",
      "TLS Web Server Authentication, TLS Web Client Authentication",
      "X509v3 Subject Key Identifier:",
      "<key id>",
      "X509v3 Authority Key Identifier:",
      "<key id>",
      "X509v3 Subject Alternative Name: critical",
      "URI:spiffe://shop.example/shop/web",
    ]);
    expect(await text(leaf)).toMatch(/Subject: *\n/);
  });

  it("X-3, X-4, X-7: signing certificates may sign certificates and revocation lists, and carry the trust domain as URI", async () => {
    for (const [issuer, constraint] of [
      [root, "CA:TRUE"],
      [intermediate, "CA:TRUE, pathlen:0"],
    ] as const) {
      expect(await extensions(issuer.certificate)).toEqual([
        "X509v3 Basic Constraints: critical",
        constraint,
        "X509v3 Key Usage: critical",
        "Certificate Sign, CRL Sign",
        "X509v3 Subject Key Identifier:",
        "<key id>",
        "X509v3 Authority Key Identifier:",
        "<key id>",
        "X509v3 Subject Alternative Name:",
        "URI:spiffe://shop.example",
      ]);
    }
  });

  it("RFC 5280, 4.1.2.6: signing certificates have a subject of their own, that names their key", () => {
    const name = (issuer: Issuer) => issuer.certificate.subject;
    expect(name(root)).toMatch(/^O=Cellwall\nCN=shop\.example root [0-9a-f]{8}$/);
    expect(name(intermediate)).toMatch(/^O=Cellwall\nCN=shop\.example intermediate [0-9a-f]{8}$/);
    expect(name(below(root))).not.toBe(name(intermediate));
  });

  it("X.520: a common name has at most 64 characters, whatever the trust domain", () => {
    const long = parseTrustDomain(`${"a".repeat(200)}.example`);
    const validity = validityFrom(now, lifetimes.rootSeconds, lifetimes);
    const issuer = signRoot({ trustDomain: long, key: freshKey(), validity, random: randomBytes });
    expect(/CN=(.*)/.exec(issuer.certificate.subject)?.[1]?.length).toBeLessThanOrEqual(64);
    expect(issuer.certificate.subjectAltName).toBe(`URI:spiffe://${long}`);
  });

  it.each(["sslserver", "sslclient"])("RFC 5280: OpenSSL verifies a leaf strictly as %s", async (purpose) => {
    expect(await verifyStrictly(leaf, purpose)).toMatch(/: OK\n$/);
  });

  it("RFC 5280, 4.2.1.9: nothing below an intermediate's leaf verifies", async () => {
    const nested = below(intermediate);
    const bad = new X509Certificate(sign({ issuer: nested }).der);
    await writeFile(join(folder, "both.pem"), `${nested.certificate}${intermediate.certificate}`);
    await writeFile(join(folder, "nested-leaf.pem"), bad.toString());
    const args = [
      "-x509_strict",
      "-CAfile",
      join(folder, "root.pem"),
      "-untrusted",
      join(folder, "both.pem"),
      join(folder, "nested-leaf.pem"),
    ];
    expect(() => execFileSync("openssl", ["verify", ...args], { stdio: "pipe" })).toThrow(/path length/i);
  });

  it("X-10: our own verifier accepts the chain and names the identity", () => {
    const bundle = { trustDomain, x509Authorities: [root.certificate], jwtAuthorities: new Map<string, KeyObject>() };
    expect(verifyX509Svid([leaf, intermediate.certificate], bundle, { at: now })).toMatchObject({ ok: true, id });
    expect(verifyX509Svid([intermediate.certificate], bundle, { at: now })).toMatchObject({ ok: false });
  });

  it("carries the issuer's subject byte for byte, also one that this authority would have written otherwise", async () => {
    const field = (certificate: X509Certificate, index: number): Buffer => {
      const node = childrenOf(childrenOf(parseDer(certificate.raw), Tag.SEQUENCE)[0], Tag.SEQUENCE)[index];
      return node === undefined ? Buffer.alloc(0) : toDer(node);
    };
    expect(field(leaf, 3)).toEqual(field(intermediate.certificate, 5));
    const [key, cert] = [join(folder, "o.key"), join(folder, "o.pem")];
    const subject = [
      "-subj",
      "/C=DE/O=PrintableString/emailAddress=ca@shop.example",
      "-addext",
      "subjectAltName=URI:spiffe://shop.example",
    ];
    const make = [
      "req",
      "-x509",
      "-newkey",
      "ec",
      "-pkeyopt",
      "ec_paramgen_curve:P-256",
      "-nodes",
      "-keyout",
      key,
      "-out",
      cert,
    ];
    execFileSync("openssl", [...make, ...subject], { stdio: "pipe" });
    const foreign = issuerOf(new X509Certificate(execFileSync("openssl", ["x509", "-in", cert])), freshKey());
    expect(field(new X509Certificate(sign({ issuer: foreign }).der), 3)).toEqual(field(foreign.certificate, 5));
  });

  it("X-12: serials are 128 random bits, positive, and told in the one spelling", () => {
    const serials = Array.from({ length: 64 }, () => sign());
    expect(new Set(serials.map(({ serial }) => serial)).size).toBe(64);
    expect(serials.some(({ serial }) => serial.length === 32 && serial > "8")).toBe(true);
    for (const { der, serial } of serials) {
      expect(serialNumberOf(new X509Certificate(der))).toBe(serial);
      expect(serial).toMatch(/^[1-9a-f][0-9a-f]{20,31}$/);
    }
  });

  it.each(["00000000000000000000000000000001", "000000000000000000000000000000ff", "80000000000000000000000000000000"])(
    "RFC 5280, 4.1.2.2: the serial %s is a positive integer in its shortest form",
    async (hex) => {
      const certificate = new X509Certificate(sign({ random: () => Buffer.from(hex, "hex") }).der);
      expect(BigInt(`0x${certificate.serialNumber}`)).toBe(BigInt(`0x${hex}`));
      expect(parseDer(certificate.raw)).toBeDefined();
    },
  );

  it("RFC 5280, 4.1.2.2: never uses serial 0", () => {
    const draws = [Buffer.alloc(16), Buffer.alloc(16, 7)];
    expect(sign({ random: () => draws.shift() ?? Buffer.alloc(16) }).serial).toBe("07".repeat(16).slice(1));
  });

  it("X-12: starts a minute ago and never outlives its issuer", () => {
    const signed = sign({ seconds: 10 * lifetimes.rootSeconds });
    expect(signed.notAfter).toEqual(intermediate.notAfter);
    expect(intermediate.notAfter <= root.notAfter).toBe(true);
    const certificate = new X509Certificate(signed.der);
    expect(new Date(certificate.validTo)).toEqual(signed.notAfter);
    expect(new Date(certificate.validFrom)).toEqual(signed.notBefore);
    expect(now.getTime() - signed.notBefore.getTime()).toBeGreaterThanOrEqual(60_000);
    expect(below(root, 10 * lifetimes.rootSeconds).notAfter).toEqual(root.notAfter);
  });

  it("RFC 5280, 4.1.2.5: writes times from 2050 on as GeneralizedTime", async () => {
    const at = new Date("2049-12-31T12:00:00Z");
    const key = freshKey();
    const late = signRoot({ trustDomain, key, validity: validityFrom(at, 86_400, lifetimes), random: randomBytes });
    expect(late.certificate.validTo).toBe("Jan  1 12:00:00 2050 GMT");
    const dump = execFileSync("openssl", ["asn1parse", "-inform", "DER"], {
      input: late.certificate.raw,
      encoding: "utf8",
    });
    expect(dump).toMatch(/UTCTIME +:491231115900Z[\s\S]*GENERALIZEDTIME +:20500101120000Z/);
  });

  it("X-2: refuses a leaf for an identity without a path", () => {
    expect(() => sign({ id: parseSpiffeId("spiffe://shop.example") })).toThrow(
      expect.objectContaining({ code: "ERR_CA_PROFILE" }),
    );
  });

  it("refuses to sign below an issuer that has expired", () => {
    const old = below(root, 2);
    const validity = validityFrom(new Date(now.getTime() + 3600_000), 60, lifetimes);
    expect(() =>
      signLeaf({ id, publicKey: createPublicKey(freshKey()), issuer: old, validity, random: randomBytes }),
    ).toThrow(expect.objectContaining({ code: "ERR_CA_PROFILE" }));
  });

  it("adds host names and addresses beside the one URI, for the authority's own TLS certificate", () => {
    const hosts = {
      dnsNames: ["localhost", "a-1.shop.example"],
      ipAddresses: ["127.0.0.1", "::1", "2001:db8::ff00:42:8329", "::ffff:10.1.2.3", "fe80::"],
    };
    expect(new X509Certificate(sign({ hosts }).der).subjectAltName?.split(", ")).toEqual([
      `URI:${id}`,
      "DNS:localhost",
      "DNS:a-1.shop.example",
      "IP Address:127.0.0.1",
      "IP Address:0:0:0:0:0:0:0:1",
      "IP Address:2001:DB8:0:0:0:FF00:42:8329",
      "IP Address:0:0:0:0:0:FFFF:A01:203",
      "IP Address:FE80:0:0:0:0:0:0:0",
    ]);
  });

  it.each([
    { dnsNames: ["*.shop.example"] },
    { dnsNames: ["a\0b"] },
    { dnsNames: [""] },
    { ipAddresses: ["127.0.0.1/8"] },
    { ipAddresses: ["fe80::1%eth0"] },
    { ipAddresses: ["1.2.3"] },
  ])("refuses %j as a host name or address", (hosts) => {
    expect(() => sign({ hosts })).toThrow(expect.objectContaining({ code: "ERR_CA_PROFILE" }));
  });

  it("two leaves authenticate each other over TLS 1.3, by their certificates alone", async () => {
    const [serverKey, clientKey] = [freshKey(), freshKey()];
    const credentials = (key: KeyObject, name: string) => {
      const own = new X509Certificate(sign({ key, id: parseSpiffeId(`spiffe://shop.example/shop/${name}`) }).der);
      return {
        key: key.export({ type: "pkcs8", format: "pem" }),
        cert: `${own}${intermediate.certificate}`,
        ca: root.certificate.toString(),
        checkServerIdentity: () => undefined,
        minVersion: "TLSv1.3" as const,
      };
    };
    const server = createServer({ ...credentials(serverKey, "db"), requestCert: true, rejectUnauthorized: true });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    const accepted = new Promise<TLSSocket>((resolve) => server.once("secureConnection", resolve));
    const client = connect({ ...credentials(clientKey, "web"), host: "127.0.0.1", port: address.port });
    const peer = await accepted;
    expect([peer.authorized, peer.getPeerX509Certificate()?.subjectAltName]).toEqual([
      true,
      "URI:spiffe://shop.example/shop/web",
    ]);
    expect([client.authorized, client.getPeerX509Certificate()?.subjectAltName]).toEqual([
      true,
      "URI:spiffe://shop.example/shop/db",
    ]);
    client.destroy();
    peer.destroy();
    server.close();
    await once(server, "close");
  });
});
