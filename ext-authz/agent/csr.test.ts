import { execFileSync, spawnSync } from "node:child_process";
import { createPublicKey } from "node:crypto";
import { describe, expect, it } from "vitest";
import { parseSpiffeId } from "../../spiffe/index.ts";
import { certificateRequest } from "./csr.ts";
import { formatPrivateKey, newPrivateKey, parsePrivateKey } from "./private-key.ts";

/** The `openssl` command reads it back: an implementation that is not ours. */
function openssl(csr: Buffer, ...args: string[]): string {
  return execFileSync("openssl", ["req", "-inform", "DER", "-noout", ...args], {
    input: csr,
    encoding: "utf8",
    stdio: ["pipe", "pipe", "pipe"],
  });
}

/** `req -verify` exits 0 either way in some versions, so its words count. */
function verifies(csr: Buffer): boolean {
  const run = spawnSync("openssl", ["req", "-inform", "DER", "-noout", "-verify"], { input: csr, encoding: "utf8" });
  return /verify OK/i.test(run.stdout + run.stderr);
}

describe("certificateRequest", () => {
  const identity = parseSpiffeId("spiffe://shop.example/shop/orders");

  it("is a request whose signature openssl verifies, for the key that made it", () => {
    const key = newPrivateKey();
    const csr = certificateRequest(key, identity);
    expect(verifies(csr)).toBe(true);
    expect(openssl(csr, "-pubkey")).toBe(createPublicKey(key).export({ type: "spki", format: "pem" }));
  });

  it("asks for exactly one critical URI name and no subject", () => {
    const text = openssl(certificateRequest(newPrivateKey(), identity), "-text");
    expect(text).toMatch(/Subject Alternative Name: critical\s+URI:spiffe:\/\/shop\.example\/shop\/orders\n/);
    expect(text).toMatch(/Subject: ?\n/);
    expect(text).toMatch(/id-ecPublicKey[\s\S]*(P-256|prime256v1)/);
  });

  it("asks for no name where there is none to ask for", () => {
    const csr = certificateRequest(newPrivateKey());
    expect(verifies(csr)).toBe(true);
    expect(openssl(csr, "-text")).not.toMatch(/Alternative Name/);
  });

  it("breaks when a byte of it changes", () => {
    const csr = certificateRequest(newPrivateKey(), identity);
    const at = csr.indexOf("orders");
    csr[at] = (csr[at] ?? 0) ^ 1;
    expect(verifies(csr)).toBe(false);
  });
});

describe("private keys", () => {
  it("survive their file format", () => {
    const key = newPrivateKey();
    expect(parsePrivateKey(formatPrivateKey(key)).equals(key)).toBe(true);
  });
});
