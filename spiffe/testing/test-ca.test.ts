import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { certificatesFromPem, publicKeyFingerprint, verifyX509Svid } from "../index.ts";
import { createTestCa } from "./index.ts";

const folder = mkdtempSync(join(tmpdir(), "cellwall-spiffe-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const openssl = (...args: readonly string[]): string =>
  execFileSync("openssl", args, { encoding: "utf8", cwd: folder, stdio: "pipe" });
const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text);
  return name;
};

describe("certificates for tests", () => {
  const ca = createTestCa({ trustDomain: "shop.example" });
  const web = ca.intermediate().issue({ uris: ["spiffe://shop.example/web"], dns: ["web"], ips: ["127.0.0.1"] });

  it("are sound in the eyes of OpenSSL", () => {
    const [root, chain, leaf] = [
      write("root.pem", ca.rootPem),
      write("chain.pem", web.chainPem),
      write("leaf.pem", web.certPem),
    ];
    expect(openssl("verify", "-CAfile", root, "-untrusted", chain, "-purpose", "sslclient", leaf)).toBe(
      "leaf.pem: OK\n",
    );
    const text = openssl("x509", "-in", leaf, "-noout", "-text");
    expect(text).toContain("URI:spiffe://shop.example/web, DNS:web, IP Address:127.0.0.1");
    expect(text).toMatch(/Key Usage: critical\s+Digital Signature\n/);
  });

  it("have the key fingerprint that OpenSSL computes", () => {
    write("leaf.pem", web.certPem);
    write("key.pem", openssl("x509", "-in", "leaf.pem", "-noout", "-pubkey"));
    openssl("pkey", "-pubin", "-in", "key.pem", "-outform", "der", "-out", "key.der");
    expect(openssl("dgst", "-sha256", "-r", "key.der").slice(0, 64)).toBe(publicKeyFingerprint(web.certificate));
  });

  it("and those that OpenSSL makes are verified like our own", () => {
    const ec = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    const extension = (...lines: readonly string[]): string[] => lines.flatMap((line) => ["-addext", line]);
    openssl(
      "req",
      "-x509",
      ...ec,
      "-keyout",
      "ca.key",
      "-out",
      "ca.pem",
      "-subj",
      "/CN=root",
      "-days",
      "2",
      ...extension("keyUsage=critical,keyCertSign,cRLSign"),
    );
    const issue = (san: string): string => {
      write(
        "leaf.cnf",
        `keyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=critical,${san}\n`,
      );
      openssl("req", ...ec, "-keyout", "leaf.key", "-out", "leaf.csr", "-subj", "/CN=leaf");
      openssl(
        "x509",
        "-req",
        "-in",
        "leaf.csr",
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-out",
        "made.pem",
        "-days",
        "1",
        "-extfile",
        "leaf.cnf",
      );
      const chain = certificatesFromPem(openssl("x509", "-in", "made.pem"));
      const roots = certificatesFromPem(openssl("x509", "-in", "ca.pem"));
      const result = verifyX509Svid(chain, ca.bundle(roots), { at: new Date(Date.now() + 1_000) });
      return result.ok ? result.id.toString() : result.code;
    };
    expect(issue("URI:spiffe://shop.example/web")).toBe("spiffe://shop.example/web");
    expect(issue("URI:spiffe://shop.example/web,URI:spiffe://shop.example/db")).toBe("ERR_SPIFFE_SVID_MANY_URIS");
    expect(issue("DNS:web.shop.example")).toBe("ERR_SPIFFE_SVID_NO_URI");
  });
});
