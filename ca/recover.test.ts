import { copyFile, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { rotateRequest } from "../protocol/index.ts";
import { parseTrustDomain } from "../spiffe/index.ts";
import { openStore } from "../store/index.ts";
import { recoverCertificateAuthority } from "./open.ts";
import { makeFolder, openTestAuthority, removeFolder, type TestAuthority, testClock } from "./testing/authority.ts";
import { requestText } from "./testing/certificate-request.ts";
import { node, policySet, workload } from "./testing/policy-set.ts";

const web = "spiffe://shop.example/shop/web";
const set = policySet([workload("web", { runsOn: { node: "host-1" } })], [node("host-1")]);

describe("a database that was restored from a backup", () => {
  let folder: string;
  let t: TestAuthority | undefined;
  const clock = testClock();
  const start = async (): Promise<TestAuthority> => {
    t = await openTestAuthority({ folder, clock });
    t.ca.setRegistry(set);
    return t;
  };
  const stop = async (): Promise<void> => {
    await t?.stop();
    t = undefined;
  };
  const files = ["ca.db", "ca.db-wal", "ca.db-shm"];
  const copyDatabase = async (from: string, to: string): Promise<void> => {
    for (const name of files) await rm(join(folder, `${to}${name}`), { force: true });
    for (const name of await readdir(folder)) {
      if (files.some((file) => name === `${from}${file}`))
        await copyFile(join(folder, name), join(folder, `${to}${name.slice(from.length)}`));
    }
  };
  const recover = async () => {
    const store = await openStore({ file: join(folder, "ca.db") });
    const trustDomain = parseTrustDomain("shop.example");
    try {
      return await recoverCertificateAuthority({
        store,
        keyFolder: join(folder, "keys"),
        trustDomain,
        clock: clock.now,
      });
    } finally {
      await store.close();
    }
  };
  const issue = async ({ ca }: TestAuthority) =>
    ca.issueSvids("host-1", { requests: [{ identity: web, csr: requestText() }] });
  /** An authority that has gone on for a while since its database was copied. */
  const goOnSinceBackup = async (): Promise<{
    readonly serial: string;
    readonly bundle: bigint;
    readonly revocations: number;
  }> => {
    const first = await start();
    await first.ca.publishBundle(set, "alice");
    await first.ca.enrol({ token: (await first.ca.createJoinToken("host-1")).token, csr: requestText() });
    await stop();
    await copyDatabase("", "backup-");
    const later = await start();
    const [issued] = (await issue(later)).certificates;
    await later.ca.revoke({ serial: issued?.serial ?? "", reason: "stolen" }, "alice");
    await later.ca.revoke({ identity: web, reason: "taken over" }, "alice");
    await later.ca.rotate(rotateRequest.parse({ what: "jwt", force: true }));
    const bundle = later.ca.trustBundle().sequence ?? 0n;
    const revocations = later.ca.revocations().document.sequence;
    await stop();
    return { serial: issued?.serial ?? "", bundle, revocations };
  };

  beforeEach(async () => {
    folder = await makeFolder();
  });
  afterEach(async () => {
    await stop();
    await removeFolder(folder);
  });

  it("is refused, with its loss named, and nothing of the keys is tidied away", async () => {
    await goOnSinceBackup();
    const keys = await readdir(join(folder, "keys"));
    await copyDatabase("backup-", "");
    await expect(start()).rejects.toMatchObject({
      code: "ERR_CA_LOSS",
      message: expect.stringMatching(/ends at entry \d+ of \d+/),
      hint: expect.stringContaining("ca recover"),
    });
    expect(await readdir(join(folder, "keys"))).toEqual(keys);
  });

  it("is gone on from by a recovery: everything newer than what agents know, and what was revoked stays revoked", async () => {
    const before = await goOnSinceBackup();
    await copyDatabase("backup-", "");
    const recovery = await recover();
    expect(recovery).toMatchObject({ epoch: 2, revocations: 2 });
    expect(recovery.known).toBeGreaterThan(recovery.kept.sequence);
    const { ca } = await start();
    expect(ca.bundle()?.manifest.epoch).toBe(2);
    expect(ca.trustBundle().sequence).toBeGreaterThan(before.bundle);
    const { document } = ca.revocations();
    expect(document.sequence).toBeGreaterThan(before.revocations);
    expect(document.serials.map(({ serial }) => serial)).toEqual([before.serial]);
    await expect(ca.issueSvids("host-1", { requests: [{ identity: web, csr: requestText() }] })).rejects.toMatchObject({
      code: "ERR_CA_REVOKED",
    });
    expect((await ca.ledger()).entries).toContainEqual(
      expect.objectContaining({ evidence: "recovery", reason: expect.stringContaining("was known") }),
    );
    expect(await ca.verifyLedger()).toMatchObject({ ok: true });
  });

  it("is gone on from without a mark as well, by a leap", async () => {
    const before = await goOnSinceBackup();
    await copyDatabase("backup-", "");
    await rm(join(folder, "keys", "high-water.json"));
    expect(await recover()).toMatchObject({ epoch: 2, known: undefined, revocations: undefined });
    const { ca } = await start();
    expect(ca.trustBundle().sequence).toBeGreaterThan(before.bundle);
    expect(ca.revocations().document.sequence).toBeGreaterThan(before.revocations);
  });

  it("another history of the same length is found out too", async () => {
    const first = await start();
    await first.ca.createJoinToken("host-1");
    await stop();
    await copyDatabase("", "backup-");
    const later = await start();
    await later.ca.enrol({ token: (await later.ca.createJoinToken("host-1")).token, csr: requestText() });
    await stop();
    const mark = join(folder, "keys", "high-water.json");
    await copyFile(mark, join(folder, "mark"));
    await copyDatabase("backup-", "");
    await rm(mark);
    const other = await start();
    await other.ca.enrol({ token: (await other.ca.createJoinToken("host-1")).token, csr: requestText() });
    await stop();
    await copyFile(join(folder, "mark"), mark);
    await expect(start()).rejects.toMatchObject({ code: "ERR_CA_LOSS" });
  });
});
