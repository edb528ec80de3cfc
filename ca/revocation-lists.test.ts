import { execFileSync } from "node:child_process";
import { randomBytes, X509Certificate } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { certificatesToPem, revocationListToPem } from "../spiffe/index.ts";
import { makeOfflineRoot, signRequest } from "./ceremony.ts";
import { makeFolder, openTestAuthority, removeFolder, type TestAuthority, testClock } from "./testing/authority.ts";
import { requestText } from "./testing/certificate-request.ts";
import { node, policySet, workload } from "./testing/policy-set.ts";

const web = "spiffe://shop.example/shop/web";
const set = policySet([workload("web", { runsOn: { node: "host-1" } })], [node("host-1")]);
const ORDER = { compromised: false, force: true, deadlineSeconds: 60, reason: "" };

describe("revocation lists", () => {
  let folder: string;
  let t: TestAuthority;
  beforeEach(async () => {
    folder = await makeFolder();
    // OpenSSL judges by the clock of now.
    t = await openTestAuthority({ folder, clock: testClock(new Date()), revocationLists: true });
    t.ca.setRegistry(set);
    await t.ca.enrol({ token: (await t.ca.createJoinToken("host-1")).token, csr: requestText() });
  });
  afterEach(async () => {
    await t.stop();
    await removeFolder(folder);
  });

  const issue = async (): Promise<readonly X509Certificate[]> => {
    const { certificates } = await t.ca.issueSvids("host-1", { requests: [{ identity: web, csr: requestText() }] });
    return (certificates[0]?.chain ?? []).map((der) => new X509Certificate(Buffer.from(der, "base64url")));
  };
  /** OpenSSL's judgement, with a list of every authority of the chain. */
  const verify = (chain: readonly X509Certificate[]): string => {
    const at = (name: string, text: string): string => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const lists = t.ca.revocationLists().map(({ der }) => revocationListToPem(der));
    const anchors = ["-CAfile", at("roots.pem", certificatesToPem(t.ca.trustBundle().x509Authorities))];
    const crl = ["-crl_check_all", "-CRLfile", at("crl.pem", lists.join(""))];
    const untrusted = ["-untrusted", at("between.pem", certificatesToPem(chain.slice(1)))];
    const args = ["verify", "-x509_strict", ...anchors, ...crl, ...untrusted];
    try {
      return execFileSync("openssl", [...args, at("leaf.pem", certificatesToPem(chain.slice(0, 1)))], {
        encoding: "utf8",
        stdio: "pipe",
      });
    } catch (error) {
      return String(error);
    }
  };

  it("cover every chain, and of it refuse what is revoked alone", async () => {
    const [stolen, other] = [await issue(), await issue()];
    expect([verify(stolen), verify(other)]).toEqual([expect.stringContaining("OK"), expect.stringContaining("OK")]);
    await t.ca.revoke({ serial: stolen[0]?.serialNumber ?? "", reason: "x" }, "admin");
    expect(verify(stolen)).toContain("certificate revoked");
    expect(verify(other)).toContain("OK");
  });

  it("cover next and retired authorities from their first moment", async () => {
    const before = await issue();
    await t.ca.rotate({ ...ORDER, what: "root" });
    const after = await issue();
    expect([verify(before), verify(after)]).toEqual([expect.stringContaining("OK"), expect.stringContaining("OK")]);
    await t.ca.rotate({ ...ORDER, what: "intermediate" });
    expect([verify(after), verify(await issue())]).toEqual([
      expect.stringContaining("OK"),
      expect.stringContaining("OK"),
    ]);
  });

  it("are told to agents, and anew at half of their time", async () => {
    const told: string[] = [];
    t.ca.subscribe((what) => told.push(what));
    const until = (): number => Date.parse(t.ca.trustNotice().revocationLists?.[0]?.until ?? "");
    const first = until();
    t.clock.advance(11 * 3_600);
    await t.ca.renewDue();
    expect(until()).toBe(first);
    t.clock.advance(2 * 3_600);
    await t.ca.renewDue();
    expect(until()).toBe(first + 13 * 3_600_000);
    expect(told).toContain("trust-bundle");
  });

  it("are all or none: without the root's key the start is refused, and an import takes them back", async () => {
    const parts = { trustDomain: t.ca.trustDomain, clock: t.clock.now, random: randomBytes };
    const root = makeOfflineRoot(parts, 3650);
    const certificate = new X509Certificate(root.certificate);
    const request = Buffer.from((await t.ca.request()).replace(/-----[^-]+-----/g, ""), "base64");
    const chain = certificatesToPem([signRequest(parts, { certificate, key: root.key }, request, 365)]);
    await t.ca.bring({ root: root.certificate, chain });
    expect(t.ca.revocationLists()).toEqual([]);
    expect(t.ca.trustNotice().revocationLists).toBeUndefined();
    expect(String(t.problems)).toContain("is not kept here");
    await t.stop();
    const opening = openTestAuthority({ folder, clock: t.clock, revocationLists: true });
    await expect(opening).rejects.toMatchObject({ code: "ERR_CA_OFFLINE", hint: expect.stringContaining("--crl") });
    t = await openTestAuthority({ folder, clock: t.clock });
    expect(t.ca.revocationLists()).toEqual([]);
  });
});
