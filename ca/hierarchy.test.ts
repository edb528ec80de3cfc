import { X509Certificate } from "node:crypto";
import { chmod, mkdir, readdir, readFile, rename, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { verifyX509Svid } from "../spiffe/index.ts";
import {
  makeFolder,
  openTestAuthority,
  removeFolder,
  type TestAuthority,
  type TestOptions,
  testClock,
} from "./testing/authority.ts";
import { requestText } from "./testing/certificate-request.ts";
import { policySet, workload } from "./testing/policy-set.ts";

const DAY = 86_400;
const YEAR = 365 * DAY;

describe("hierarchy", () => {
  let folder: string;
  let open: TestAuthority[];
  const start = async (options: TestOptions = {}): Promise<TestAuthority> => {
    const t = await openTestAuthority({ folder, ...options });
    open.push(t);
    return t;
  };
  const stop = async (t: TestAuthority): Promise<void> => {
    open = open.filter((one) => one !== t);
    await t.stop();
  };
  beforeEach(async () => {
    folder = await makeFolder();
    open = [];
  });
  afterEach(async () => {
    for (const t of open) await t.stop();
    await removeFolder(folder);
  });
  const keyFiles = async () => (await readdir(join(folder, "keys"))).filter((name) => name.endsWith(".key.pem")).sort();
  const serials = (t: TestAuthority) => Object.fromEntries(t.ca.authorities().map((one) => [one.role, one.serial]));

  it("is created on first open: root of ten years, intermediate of one, signer of a week, token key of a month, keys of their own", async () => {
    const t = await start();
    const at = t.clock.now().getTime();
    expect(t.ca.authorities().map((one) => [one.role, (Date.parse(one.notAfter) - at) / 1000])).toEqual([
      ["root", 10 * YEAR],
      ["intermediate", YEAR],
      ["policy-signer", 7 * DAY],
      ["jwt", 30 * DAY],
    ]);
    expect((await keyFiles()).map((name) => name.replace(/[0-9a-f]{16}/, "*"))).toEqual([
      "intermediate-*.key.pem",
      "jwt-*.key.pem",
      "policy-signer-*.key.pem",
      "root-*.key.pem",
    ]);
    const keys = await Promise.all((await keyFiles()).map((name) => readFile(join(folder, "keys", name), "utf8")));
    expect(new Set(keys).size).toBe(4);
    for (const name of await keyFiles()) expect((await stat(join(folder, "keys", name))).mode & 0o777).toBe(0o600);
  });

  it("B-1, J-7: its trust bundle is the root and the key of tokens", async () => {
    const { ca } = await start();
    const bundle = ca.trustBundle();
    expect(bundle.trustDomain).toBe("shop.example");
    expect(bundle.x509Authorities.map((one) => one.subject)).toEqual([expect.stringContaining("root")]);
    expect([...bundle.jwtAuthorities.keys()]).toEqual([ca.authorities().find((one) => one.role === "jwt")?.serial]);
    expect(ca.rootFingerprint()).toMatch(/^[0-9a-f]{64}$/);
  });

  it("is the same after a restart", async () => {
    const first = await start();
    const seen = [first.ca.authorities(), first.ca.rootFingerprint(), await first.ca.ledger()];
    await stop(first);
    const second = await start();
    expect([second.ca.authorities(), second.ca.rootFingerprint(), await second.ca.ledger()]).toEqual(seen);
  });

  it("has each of its certificates in the ledger", async () => {
    const t = await start();
    const { entries } = await t.ca.ledger();
    expect(entries.map((entry) => entry.serial)).toEqual(
      t.ca
        .authorities()
        .map((one) => one.serial)
        .reverse(),
    );
    expect(await t.ca.verifyLedger()).toMatchObject({ ok: true, entries: 4 });
  });

  it("refuses to be opened for another trust domain", async () => {
    await stop(await start());
    await expect(start({ trustDomain: "other.example" })).rejects.toMatchObject({
      code: "ERR_CA_TRUST_DOMAIN",
      hint: expect.stringContaining("shop.example"),
    });
  });

  it("never founds a new trust domain over the keys of a lost database", async () => {
    await stop(await start());
    const before = await keyFiles();
    for (const suffix of ["", "-wal", "-shm"])
      await rename(join(folder, `ca.db${suffix}`), join(folder, `lost${suffix}`)).catch(() => undefined);
    await expect(start()).rejects.toMatchObject({ code: "ERR_CA_STATE" });
    expect(await keyFiles()).toEqual(before);
  });

  it("begins again after a creation that was cut short, and removes the keys of that attempt", async () => {
    await mkdir(join(folder, "keys"));
    await writeFile(join(folder, "keys", ".creating"), "");
    await writeFile(join(folder, "keys", "root-0000000000000000.key.pem"), "half");
    await start();
    expect(await keyFiles()).toHaveLength(4);
    expect(await keyFiles()).not.toContain("root-0000000000000000.key.pem");
  });

  it("removes the note of a creation whose last step was cut off, and keeps its keys", async () => {
    await stop(await start());
    const before = await keyFiles();
    await writeFile(join(folder, "keys", ".creating"), "");
    await start();
    expect(await keyFiles()).toEqual(before);
  });

  it("refuses a key that is missing, swapped or open to others", async () => {
    await stop(await start());
    const [intermediate = "", , signer = ""] = (await keyFiles()).map((name) => join(folder, "keys", name));
    await chmod(signer, 0o644);
    await expect(start()).rejects.toMatchObject({ code: "ERR_CA_KEY_FILE" });
    await chmod(signer, 0o600);
    await writeFile(signer, await readFile(intermediate));
    await expect(start()).rejects.toMatchObject({
      code: "ERR_CA_STATE",
      message: expect.stringContaining("policy-signer"),
    });
    await rename(signer, `${signer}.bak`);
    await expect(start()).rejects.toMatchObject({ code: "ERR_CA_KEY_FILE" });
  });

  it("renews the signer at half its life, by itself, and destroys the old key", async () => {
    const t = await start();
    const before = { serials: serials(t), keys: await keyFiles() };
    t.clock.advance(3.4 * DAY);
    await t.ca.renewDue();
    expect(serials(t)).toEqual(before.serials);
    t.clock.advance(0.2 * DAY);
    t.timers.fire();
    await expect.poll(() => serials(t)["policy-signer"]).not.toBe(before.serials["policy-signer"]);
    expect(serials(t)).toMatchObject({ root: before.serials.root, intermediate: before.serials.intermediate });
    const kept = (await keyFiles()).filter((name) => before.keys.includes(name));
    expect(kept.map((name) => name.split("-")[0])).toEqual(["intermediate", "jwt", "root"]);
    expect(await t.ca.verifyLedger()).toMatchObject({ ok: true, entries: 5 });
  });

  it("renews the intermediate at half its life; agents that know the root need nothing new", async () => {
    const t = await start();
    const bundle = t.ca.trustBundle();
    const before = serials(t);
    t.clock.advance(0.51 * YEAR);
    await t.ca.renewDue();
    expect(serials(t).intermediate).not.toBe(before.intermediate);
    expect(serials(t).root).toBe(before.root);
    t.ca.setRegistry(policySet([workload("web")]), { localNode: "here" });
    const { certificate } = await t.ca.enrol({ token: (await t.ca.createJoinToken("here")).token, csr: requestText() });
    const chain = certificate.chain.map((der) => new X509Certificate(Buffer.from(der, "base64url")));
    expect(verifyX509Svid(chain, bundle, { at: t.clock.now() })).toMatchObject({ ok: true });
    await stop(t);
    expect(serials(await start({ clock: t.clock }))).toMatchObject({ root: before.root });
  });

  it("replaces what has expired while it was not running", async () => {
    const clock = testClock();
    await stop(await start({ clock }));
    clock.advance(2 * YEAR);
    const t = await start({ clock });
    for (const one of t.ca.authorities()) expect(Date.parse(one.notAfter)).toBeGreaterThan(clock.now().getTime());
  });

  it("says that a renewal failed, and tries again", async () => {
    const t = await start();
    t.clock.advance(4 * DAY);
    await sql`create trigger broken before insert on ca_ledger begin select raise(abort, 'disk gone'); end`.execute(
      t.db,
    );
    t.timers.fire();
    await expect.poll(() => t.problems.length).toBe(1);
    await expect.poll(() => t.timers.pending).toBe(1);
    await sql`drop trigger broken`.execute(t.db);
    const before = serials(t);
    t.timers.fire();
    await expect.poll(() => serials(t)["policy-signer"]).not.toBe(before["policy-signer"]);
  });

  it("looks at what is due often enough for the shortest life, and at least every half minute", async () => {
    const long = await start();
    expect(long.timers.fire()).toBe(30_000);
    await stop(long);
    const short = await start({ lifetimes: { bundleSeconds: 10 } });
    expect(short.timers.fire()).toBe(500);
  });
});
