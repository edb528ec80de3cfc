import { execFileSync } from "node:child_process";
import { createPrivateKey, generateKeyPairSync, randomBytes, X509Certificate } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { certificatesFromPem, certificatesToPem, parseTrustDomain, verifyX509Svid } from "../spiffe/index.ts";
import { makeOfflineRoot, signRequest } from "./ceremony.ts";
import { openTestAuthority, type TestAuthority, type TestOptions, testClock } from "./testing/authority.ts";
import { requestText } from "./testing/certificate-request.ts";
import { node, policySet, workload } from "./testing/policy-set.ts";

const web = "spiffe://shop.example/shop/web";
const set = policySet([workload("web", { runsOn: { node: "host-1" } })], [node("host-1")]);
const PASSPHRASE = "correct horse battery staple";

function derOf(pem: string): Buffer {
  return Buffer.from(pem.replace(/-----[^-]+-----/g, ""), "base64");
}

describe("a root and an intermediate that people bring", () => {
  let folder: string;
  let open: TestAuthority[];
  const clock = testClock();
  const parts = { trustDomain: parseTrustDomain("shop.example"), clock: clock.now, random: randomBytes };
  const start = async (options: TestOptions = {}): Promise<TestAuthority> => {
    const t = await openTestAuthority({ folder, clock, ...options });
    open.push(t);
    t.ca.setRegistry(set);
    return t;
  };
  const stop = async (t: TestAuthority): Promise<void> => {
    open = open.filter((one) => one !== t);
    await t.stop();
  };
  /** The ceremony on the machine without a network. */
  const ceremony = (days = 3650, intermediateDays = 365) => {
    const root = makeOfflineRoot(parts, days);
    const [certificate] = certificatesFromPem(root.certificate);
    if (certificate === undefined) throw new Error("no root");
    const sign = (request: string): string =>
      certificatesToPem([signRequest(parts, { certificate, key: root.key }, derOf(request), intermediateDays)]);
    return { root, sign };
  };
  const issueChain = async ({ ca }: TestAuthority) => {
    const { certificate } = await ca.enrol({ token: (await ca.createJoinToken("host-1")).token, csr: requestText() });
    expect(certificate.identity).toContain("host-1");
    const [svid] = (await ca.issueSvids("host-1", { requests: [{ identity: web, csr: requestText() }] })).certificates;
    return (svid?.chain ?? []).map((der) => new X509Certificate(Buffer.from(der, "base64url")));
  };
  const believed = (t: TestAuthority, chain: readonly X509Certificate[]) =>
    verifyX509Svid(chain, t.ca.trustBundle(), { at: clock.now() }).ok;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "cellwall-ca-"));
    open = [];
  });
  afterEach(async () => {
    for (const t of open) await t.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it("an offline root signs an intermediate by a request; from then on leaves are of it, and the root's key is elsewhere", async () => {
    const { root, sign } = ceremony();
    const t = await start();
    const before = t.ca.rootFingerprint();
    const chain = sign(await t.ca.request());
    const status = await t.ca.bring({ root: root.certificate, chain });
    expect(status.authorities.find((one) => one.role === "root" && one.state === "active")?.key).toBe("elsewhere");
    expect(t.ca.rootFingerprint()).not.toBe(before);
    expect(believed(t, await issueChain(t))).toBe(true);
    expect(await t.ca.verifyLedger()).toMatchObject({ ok: true });
    await expect(
      t.ca.rotate({ what: "intermediate", compromised: false, force: false, deadlineSeconds: 1, reason: "" }),
    ).rejects.toMatchObject({ code: "ERR_CA_OFFLINE" });
    await stop(t);
    const again = await start();
    expect(believed(again, await issueChain(again))).toBe(true);
    const next = await again.ca.bring({ root: root.certificate, chain: sign(await again.ca.request()) });
    expect(next.authorities.filter((one) => one.role === "root" && one.state === "active")).toHaveLength(1);
    expect(readdirSync(join(folder, "keys")).filter((name) => name.startsWith("requested-"))).toEqual([]);
  });

  it("is founded on what is brought, with a chain of any length and keys of others above", async () => {
    const pki = join(folder, "pki");
    execFileSync("sh", ["-c", OPENSSL_PKI], { env: { ...process.env, PKI: pki }, stdio: "pipe" });
    const read = (name: string) => readFileSync(join(pki, name), "utf8");
    clock.advance(Math.ceil((Date.now() - clock.now().getTime()) / 1000));
    const brought = {
      root: read("root.pem"),
      chain: read("intermediate.pem") + read("middle.pem"),
      key: createPrivateKey(read("intermediate.key")),
    };
    const t = await start({ brought });
    const chain = await issueChain(t);
    expect(chain).toHaveLength(3);
    expect(believed(t, chain)).toBe(true);
    writeFileSync(join(pki, "leaf.pem"), certificatesToPem(chain.slice(0, 1)));
    const verify = ["verify", "-x509_strict", "-CAfile", join(pki, "root.pem"), "-untrusted"];
    writeFileSync(join(pki, "between.pem"), certificatesToPem(chain.slice(1)));
    const said = execFileSync("openssl", [...verify, join(pki, "between.pem"), join(pki, "leaf.pem")], {
      encoding: "utf8",
    });
    expect(said).toContain("OK");
    await stop(t);
    await expect(start({ brought })).rejects.toMatchObject({ code: "ERR_CA_IMPORT" });
  });

  it("a root that was brought with its key makes intermediates by itself, and is itself replaced by people only", async () => {
    const { root } = ceremony(100);
    const lifetimes = { intermediateSeconds: 80 * 86_400 };
    const t = await start({ lifetimes, brought: { root: root.certificate, rootKey: root.key } });
    const serials = async (role: "intermediate" | "root") =>
      (await t.ca.status()).authorities.filter((one) => one.role === role).map(({ serial }) => serial);
    const [first] = await serials("intermediate");
    const before = t.ca.rootFingerprint();
    clock.advance(60 * 86_400);
    t.timers.fire();
    await vi.waitFor(async () => expect((await serials("intermediate"))[0]).not.toBe(first), { timeout: 5_000 });
    expect(await serials("root")).toHaveLength(1);
    expect(t.ca.rootFingerprint()).toBe(before);
    const [own] = (await t.ca.status()).authorities;
    expect(own).toMatchObject({ role: "root", key: "here", brought: true });
    expect(own?.renewAt).toBeUndefined();
    const next = await t.ca.rotate({ what: "root", compromised: false, force: true, deadlineSeconds: 60, reason: "" });
    expect(next.authorities[0]).toMatchObject({ role: "root", state: "active", key: "here" });
    expect(next.authorities[0]?.brought).toBeUndefined();
  });

  it("is refused with the certificate named: another trust domain, a wrong order, another key, an end that is too near", async () => {
    const t = await start();
    const { root, sign } = ceremony();
    const chain = sign(await t.ca.request());
    const other = ceremony();
    const bring = (fields: object) => t.ca.bring({ root: root.certificate, chain, ...fields });
    await expect(bring({ root: other.root.certificate })).rejects.toMatchObject({
      code: "ERR_CA_IMPORT",
      message: expect.stringMatching(/intermediate.* is not signed by .*root/),
    });
    await expect(bring({ root: chain })).rejects.toThrow(/not self-signed/);
    await expect(bring({ key: generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey })).rejects.toThrow(
      /key is not that of/,
    );
    await expect(bring({ chain: root.certificate })).rejects.toMatchObject({ code: "ERR_CA_IMPORT" });
    await expect(bring({ chain: "nothing" })).rejects.toThrow(/no certificates in PEM/);
    const short = ceremony(3650, 1);
    await expect(t.ca.bring({ root: short.root.certificate, chain: short.sign(await t.ca.request()) })).rejects.toThrow(
      /too soon/,
    );
    const elsewhere = makeOfflineRoot({ ...parts, trustDomain: parseTrustDomain("bank.example") }, 3650);
    await expect(bring({ root: elsewhere.certificate })).rejects.toThrow(/bank\.example|not signed by/);
    expect((await t.ca.status()).rotations).toEqual([]);
  });

  it("keys lie encrypted where there is a passphrase, those of before as well, and nothing starts with another one", async () => {
    const plain = await start();
    await stop(plain);
    const keys = () => readdirSync(join(folder, "keys")).filter((name) => name.endsWith(".key.pem"));
    const texts = () => keys().map((name) => readFileSync(join(folder, "keys", name), "utf8"));
    const t = await start({ keyPassphrase: PASSPHRASE });
    expect(texts().every((text) => text.startsWith("-----BEGIN ENCRYPTED PRIVATE KEY-----"))).toBe(true);
    const [name = ""] = keys();
    const openssl = ["pkey", "-in", join(folder, "keys", name), "-passin", `pass:${PASSPHRASE}`, "-noout", "-text"];
    expect(execFileSync("openssl", openssl, { encoding: "utf8" })).toContain("prime256v1");
    await stop(t);
    await expect(start()).rejects.toMatchObject({
      code: "ERR_CA_KEY_FILE",
      message: expect.stringContaining("is encrypted"),
    });
    await expect(start({ keyPassphrase: "not the passphrase" })).rejects.toMatchObject({ code: "ERR_CA_KEY_FILE" });
    await expect(start({ keyPassphrase: "short" })).rejects.toThrow(/protects nothing/);
  });
});

const OPENSSL_PKI = `
set -e
mkdir -p "$PKI"; cd "$PKI"
openssl req -x509 -newkey rsa:2048 -nodes -keyout root.key -out root.pem -days 3650 -subj "/O=Shop/CN=Corporate root" \\
  -addext basicConstraints=critical,CA:true -addext keyUsage=critical,keyCertSign,cRLSign
sign() { # name of the subject, name of the issuer, path length, algorithm
  openssl req -new $4 -nodes -keyout $1.key -out $1.csr -subj "/O=Shop/CN=Corporate $1"
  printf 'basicConstraints=critical,CA:true,pathlen:%s\\nkeyUsage=critical,keyCertSign,cRLSign\\nsubjectKeyIdentifier=hash\\nauthorityKeyIdentifier=keyid\\n' $3 > $1.ext
  openssl x509 -req -in $1.csr -CA $2.pem -CAkey $2.key -CAcreateserial -days 1800 -extfile $1.ext -out $1.pem
}
sign middle root 1 "-newkey ec -pkeyopt ec_paramgen_curve:P-384"
sign intermediate middle 0 "-newkey ec -pkeyopt ec_paramgen_curve:P-256"
`;
