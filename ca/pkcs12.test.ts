import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createTestCa } from "../spiffe/testing/index.ts";
import { pkcs12 } from "./pkcs12.ts";

const PASSPHRASE = "correct-horse-battery";
const ca = createTestCa({ trustDomain: "shop.example" });
const svid = ca.issue({ uris: ["spiffe://shop.example/shop/web"] }).svid();
const trusted = ca.bundle().x509Authorities;

function hasKeytool(): boolean {
  try {
    execFileSync("keytool", ["-help"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

describe("pkcs12", () => {
  let folder: string;
  const file = (name: string) => join(folder, name);
  const openssl = (...args: string[]) =>
    execFileSync("openssl", args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  const keytool = (name: string) =>
    execFileSync(
      "keytool",
      ["-list", "-v", "-storetype", "PKCS12", "-keystore", file(name), "-storepass", PASSPHRASE],
      { encoding: "utf8" },
    );
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "cellwall-p12-"));
    const identity = { key: svid.privateKey, chain: svid.chain };
    writeFileSync(file("web.p12"), pkcs12({ identity, trusted: [], friendlyName: "shop/web", passphrase: PASSPHRASE }));
    writeFileSync(file("trust.p12"), pkcs12({ trusted, friendlyName: "shop.example", passphrase: PASSPHRASE }));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("OpenSSL reads key and certificates, and the key is the certificate's", () => {
    const pem = openssl("pkcs12", "-in", file("web.p12"), "-passin", `pass:${PASSPHRASE}`, "-nodes");
    expect(pem).toContain("friendlyName: shop/web");
    writeFileSync(file("web.pem"), pem);
    const ofKey = openssl("pkey", "-in", file("web.pem"), "-pubout");
    expect(openssl("x509", "-in", file("web.pem"), "-pubkey", "-noout")).toBe(ofKey);
    expect(pem.split("BEGIN CERTIFICATE").length - 1).toBe(svid.chain.length);
  });

  it("is refused with another passphrase, and made with none that is too short", () => {
    expect(() => openssl("pkcs12", "-in", file("web.p12"), "-passin", "pass:wrong-passphrase", "-nodes")).toThrow(
      /mac verify|invalid password/i,
    );
    expect(() => pkcs12({ trusted, friendlyName: "x", passphrase: "short" })).toThrow(
      expect.objectContaining({ code: "ERR_CA_EXPORT" }),
    );
  });

  const keytoolOr = it.skipIf(!hasKeytool());
  keytoolOr(
    `keytool reads it as a private key with its chain, and the anchors as trusted${hasKeytool() ? "" : " (no keytool here)"}`,
    () => {
      const store = keytool("web.p12");
      expect(store).toContain("Entry type: PrivateKeyEntry");
      expect(store).toContain(`Certificate chain length: ${svid.chain.length}`);
      expect(store).toContain("URIName: spiffe://shop.example/shop/web");
      expect(keytool("trust.p12")).toContain("trustedCertEntry");
    },
  );
});
