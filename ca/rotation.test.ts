import { X509Certificate } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type NodeTrustReport, type RotateOrder, rotateRequest } from "../protocol/index.ts";
import { publicKeyFingerprint, type TrustBundle, verifyX509Svid } from "../spiffe/index.ts";
import {
  makeFolder,
  openTestAuthority,
  removeFolder,
  type TestAuthority,
  type TestOptions,
  testClock,
} from "./testing/authority.ts";
import { requestText } from "./testing/certificate-request.ts";
import { node, policySet, workload } from "./testing/policy-set.ts";

const web = "spiffe://shop.example/shop/web";
const set = policySet(
  [workload("web", { runsOn: { node: "host-1" } }), workload("db", { runsOn: { node: "host-2" } })],
  [node("host-1"), node("host-2")],
);
const LIFETIMES = { svidSeconds: 60, agentSeconds: 120 };
const HOUR = 3600;
const DAY = 24 * HOUR;

describe("rotation", () => {
  let folder: string;
  let open: TestAuthority[];
  const start = async (options: TestOptions = {}): Promise<TestAuthority> => {
    const t = await openTestAuthority({ folder, lifetimes: LIFETIMES, ...options });
    open.push(t);
    t.ca.setRegistry(set);
    return t;
  };
  beforeEach(async () => {
    folder = await makeFolder();
    open = [];
  });
  afterEach(async () => {
    for (const t of open) await t.stop();
    await removeFolder(folder);
  });

  const join1 = async (t: TestAuthority, name: string) =>
    t.ca.enrol({ token: (await t.ca.createJoinToken(name)).token, csr: requestText() });
  const issue = async (t: TestAuthority, name = "host-1", identity = web) => {
    const [issued] = (await t.ca.issueSvids(name, { requests: [{ identity, csr: requestText() }] })).certificates;
    if (issued === undefined) throw new Error("nothing issued");
    return issued;
  };
  const order = (fields: Partial<RotateOrder> & Pick<RotateOrder, "what">): RotateOrder => rotateRequest.parse(fields);
  const rotate = (t: TestAuthority, fields: Partial<RotateOrder> & Pick<RotateOrder, "what">) =>
    t.ca.rotate(order(fields));
  const serialOf = (t: TestAuthority, role: string) => t.ca.authorities().find((one) => one.role === role)?.serial;
  const anchors = (t: TestAuthority) => t.ca.trustBundle().x509Authorities.map(publicKeyFingerprint);
  /** An agent's report: everything confirmed, unless told otherwise. */
  const report = async (
    t: TestAuthority,
    name: string,
    sidecar: Partial<NodeTrustReport["sidecars"][number]> = {},
    fields: Partial<NodeTrustReport> = {},
  ) => {
    const bundle = (await t.ca.status()).bundle.sha256;
    t.ca.reportTrust(name, {
      bundle,
      settling: false,
      sidecars: [{ workload: `shop/${name}`, confirmed: bundle, ...sidecar }],
      ...fields,
    });
    await t.ca.renewDue();
  };
  const probed = async (t: TestAuthority, name: string, outcome: "accepted" | "refused" = "accepted") =>
    report(t, name, { probe: { authority: t.ca.trustNotice().probe ?? "", outcome } });
  const laggards = async (t: TestAuthority) =>
    (await t.ca.status()).rotations.flatMap((one) =>
      one.laggards.map(({ node: name, reason }) => `${one.phase} ${name}: ${reason}`),
    );
  const verifies = (chain: readonly string[], bundle: TrustBundle, at: Date) =>
    verifyX509Svid(
      chain.map((der) => new X509Certificate(Buffer.from(der, "base64url"))),
      bundle,
      { at },
    ).ok;

  it("of a root: in the trust bundle first, in use once every live sidecar has confirmed it and taken a handshake (F-7)", async () => {
    const t = await start();
    for (const name of ["host-1", "host-2"]) await join1(t, name);
    await issue(t);
    await issue(t, "host-2", "spiffe://shop.example/shop/db");
    const before = { root: serialOf(t, "root"), bundle: t.ca.trustBundle() };
    await rotate(t, { what: "root" });
    expect(anchors(t)).toHaveLength(2);
    expect(t.ca.trustBundle().sequence).toBe(2n);
    expect(await laggards(t)).toEqual([
      "distributing host-1: its agent has not reported since the authority started",
      "distributing host-2: its agent has not reported since the authority started",
    ]);
    await report(t, "host-1");
    expect(t.ca.trustNotice().probe).toBeUndefined();
    await report(t, "host-2", { confirmed: "0".repeat(64), problem: "rejected it" });
    expect(await laggards(t)).toEqual([
      "distributing host-2: its sidecar has not confirmed the trust bundle: rejected it",
    ]);
    await report(t, "host-2", {}, { settling: true });
    expect(await laggards(t)).toEqual(["distributing host-2: its agent has just started and waits for its sidecars"]);
    await report(t, "host-2");
    expect(await laggards(t)).toEqual(
      ["host-1", "host-2"].map((name) => `probing ${name}: no handshake has been tried yet`),
    );
    await probed(t, "host-1");
    await probed(t, "host-2", "refused");
    expect(serialOf(t, "root")).toBe(before.root);
    expect(verifies((await issue(t)).chain, before.bundle, t.clock.now())).toBe(true);
    await probed(t, "host-2");
    expect(serialOf(t, "root")).not.toBe(before.root);
    const after = await issue(t);
    expect(verifies(after.chain, t.ca.trustBundle(), t.clock.now())).toBe(true);
    expect(verifies(after.chain, before.bundle, t.clock.now())).toBe(false);
    expect(anchors(t)).toHaveLength(2);
  });

  it("of a root: the old one is removed, with its key, once the longest-lived of its certificates is over", async () => {
    const t = await start();
    const before = (await readdir(join(folder, "keys"))).filter((name) => /^(?:root|inter)/.test(name));
    await rotate(t, { what: "root" });
    t.clock.advance(179);
    await t.ca.renewDue();
    expect(anchors(t)).toHaveLength(2);
    t.clock.advance(1);
    await t.ca.renewDue();
    expect(anchors(t)).toEqual([t.ca.rootFingerprint()]);
    expect(t.ca.trustBundle().sequence).toBe(3n);
    const after = (await readdir(join(folder, "keys"))).filter((name) => name.endsWith(".key.pem"));
    expect(after.filter((name) => before.includes(name))).toEqual([]);
    expect(after).toHaveLength(4);
  });

  it("does not wait for nodes whose certificates are over, nor for revoked ones", async () => {
    const t = await start();
    for (const name of ["host-1", "host-2"]) await join1(t, name);
    await issue(t, "host-2", "spiffe://shop.example/shop/db");
    t.clock.advance(61);
    await issue(t);
    const before = serialOf(t, "root");
    await rotate(t, { what: "root" });
    expect(await laggards(t)).toEqual([expect.stringContaining("host-1")]);
    await t.ca.revoke({ node: "host-1", reason: "lost" }, "alice");
    await t.ca.renewDue();
    expect(serialOf(t, "root")).not.toBe(before);
  });

  it("of a root: who knows only the old one believes the new one through the certificate that crosses over", async () => {
    const t = await start();
    const old = t.ca.trustBundle();
    const { token } = await t.ca.createJoinToken("host-1");
    await rotate(t, { what: "root" });
    const { certificate } = await t.ca.enrol({ token, csr: requestText() });
    const cross = t.ca.crossCertificates().map(({ raw }) => raw.toString("base64url"));
    expect(cross).toHaveLength(1);
    expect(verifies([...certificate.chain, ...cross], old, t.clock.now())).toBe(true);
    t.clock.advance(200);
    await t.ca.renewDue();
    expect(t.ca.crossCertificates()).toEqual([]);
  });

  it("of an intermediate: nothing new to confirm, a handshake all the same", async () => {
    const t = await start();
    await join1(t, "host-1");
    await issue(t);
    const before = { intermediate: serialOf(t, "intermediate"), bundle: t.ca.trustBundle() };
    await rotate(t, { what: "intermediate" });
    expect(t.ca.trustBundle()).toEqual(before.bundle);
    await report(t, "host-1");
    expect(serialOf(t, "intermediate")).toBe(before.intermediate);
    await probed(t, "host-1");
    expect(serialOf(t, "intermediate")).not.toBe(before.intermediate);
    expect(verifies((await issue(t)).chain, before.bundle, t.clock.now())).toBe(true);
  });

  it("of the key of tokens: every agent holds the new one before it signs, the old one until its tokens are over", async () => {
    const t = await start();
    await join1(t, "host-1");
    await issue(t);
    const before = serialOf(t, "jwt") ?? "";
    await rotate(t, { what: "jwt" });
    expect(serialOf(t, "jwt")).toBe(before);
    await report(t, "host-1");
    const after = serialOf(t, "jwt") ?? "";
    expect(after).not.toBe(before);
    expect([...t.ca.trustBundle().jwtAuthorities.keys()].sort()).toEqual([before, after].sort());
    t.clock.advance(121);
    await t.ca.renewDue();
    expect([...t.ca.trustBundle().jwtAuthorities.keys()]).toEqual([after]);
  });

  it("by force: at once, whoever has not confirmed", async () => {
    const t = await start();
    await join1(t, "host-1");
    await issue(t);
    const before = serialOf(t, "root");
    await rotate(t, { what: "root" });
    expect(serialOf(t, "root")).toBe(before);
    await rotate(t, { what: "root", force: true });
    expect(serialOf(t, "root")).not.toBe(before);
  });

  it("goes on where it stood after a restart", async () => {
    const clock = testClock();
    const t = await start({ clock });
    await join1(t, "host-1");
    await issue(t);
    await rotate(t, { what: "root" });
    const seen = t.ca.trustBundle();
    open = [];
    await t.stop();
    const again = await start({ clock });
    expect(again.ca.trustBundle()).toEqual(seen);
    expect(await laggards(again)).toHaveLength(1);
    await report(again, "host-1");
    await probed(again, "host-1");
    expect((await again.ca.status()).rotations.map(({ phase }) => phase)).toEqual(["outlasting", "outlasting"]);
  });

  describe("of a root in other hands", () => {
    it("agents replace everything, then it is gone: no cross certificate, and nothing waits longer than the deadline", async () => {
      const t = await start();
      await join1(t, "host-1");
      const old = await issue(t);
      const before = t.ca.rootFingerprint();
      await rotate(t, { what: "root", compromised: true, deadlineSeconds: 30 });
      expect(t.ca.trustNotice()).toEqual({});
      await report(t, "host-1");
      await probed(t, "host-1");
      expect(t.ca.rootFingerprint()).not.toBe(before);
      expect(t.ca.crossCertificates()).toEqual([]);
      const { tainted = [] } = t.ca.trustNotice();
      expect(tainted).toContain(before);
      const [, intermediate = ""] = old.chain;
      expect(tainted).toContain(publicKeyFingerprint(new X509Certificate(Buffer.from(intermediate, "base64url"))));
      await report(t, "host-1", { serial: old.serial });
      expect(await laggards(t)).toEqual(["replacing host-1: its agent still uses a certificate of the old authority"]);
      await t.ca.renewAgent("host-1", { csr: requestText() });
      await report(t, "host-1", { serial: old.serial });
      expect(await laggards(t)).toEqual([
        "replacing host-1: its sidecar still uses a certificate of the old authority",
      ]);
      await report(t, "host-1", { serial: (await issue(t)).serial });
      expect(anchors(t)).toEqual([t.ca.rootFingerprint()]);
      expect(t.ca.trustNotice()).toEqual({});
      expect(verifies(old.chain, t.ca.trustBundle(), t.clock.now())).toBe(false);
    });

    it("leaves an older root alone, and takes every intermediate of its own along", async () => {
      const t = await start();
      const oldest = t.ca.rootFingerprint();
      await rotate(t, { what: "root" });
      const before = serialOf(t, "intermediate");
      await rotate(t, { what: "intermediate" });
      await join1(t, "host-1");
      await issue(t);
      await rotate(t, { what: "root", compromised: true });
      await report(t, "host-1");
      await probed(t, "host-1");
      const compromised = (await t.ca.status()).authorities.filter((one) => one.compromised);
      expect(compromised.map(({ role }) => role)).toEqual(["root", "intermediate", "intermediate"]);
      expect(compromised.map(({ serial }) => serial)).toContain(before);
      expect(anchors(t)).toContain(oldest);
      const { tainted = [] } = t.ca.trustNotice();
      expect(tainted).toContain(oldest);
      expect(tainted).not.toContain(t.ca.rootFingerprint());
    });

    it("laggards do not hold it: each step ends at the deadline", async () => {
      const t = await start();
      await join1(t, "host-1");
      await issue(t);
      const before = t.ca.rootFingerprint();
      await rotate(t, { what: "root", compromised: true, deadlineSeconds: 20 });
      t.clock.advance(19);
      await t.ca.renewDue();
      expect(t.ca.rootFingerprint()).toBe(before);
      t.clock.advance(1);
      await t.ca.renewDue();
      expect(t.ca.rootFingerprint()).not.toBe(before);
      expect(anchors(t)).toHaveLength(2);
      t.clock.advance(20);
      await t.ca.renewDue();
      expect(anchors(t)).toEqual([t.ca.rootFingerprint()]);
    });

    it("replaces what was prepared before: the old root has vouched for it", async () => {
      const t = await start();
      await join1(t, "host-1");
      await issue(t);
      await rotate(t, { what: "root" });
      const prepared = anchors(t)[1];
      await rotate(t, { what: "root", compromised: true });
      expect(anchors(t)).toHaveLength(2);
      expect(anchors(t)).not.toContain(prepared);
    });
  });

  it("of a token key in other hands: its tokens end with it", async () => {
    const t = await start();
    const before = serialOf(t, "jwt");
    await rotate(t, { what: "jwt", compromised: true });
    expect([...t.ca.trustBundle().jwtAuthorities.keys()]).not.toContain(before);
  });

  it("refuses what would not help: an intermediate in other hands, an intermediate beside a new root", async () => {
    const t = await start();
    await join1(t, "host-1");
    await issue(t);
    await expect(rotate(t, { what: "intermediate", compromised: true })).rejects.toMatchObject({
      code: "ERR_CA_ROTATION",
      hint: expect.stringContaining("--root"),
    });
    await rotate(t, { what: "root" });
    await expect(rotate(t, { what: "intermediate" })).rejects.toMatchObject({ code: "ERR_CA_ROTATION" });
  });

  it("happens by itself at half the life; root and token key lie in the bundle for a while before, for readers elsewhere", async () => {
    const t = await start();
    const before = Object.fromEntries(t.ca.authorities().map(({ role, serial }) => [role, serial]));
    t.clock.advance(15 * DAY + HOUR);
    await t.ca.renewDue();
    expect(serialOf(t, "jwt")).toBe(before.jwt);
    expect(t.ca.trustBundle().jwtAuthorities.size).toBe(2);
    t.clock.advance(900);
    await t.ca.renewDue();
    expect(serialOf(t, "jwt")).not.toBe(before.jwt);
    expect(serialOf(t, "root")).toBe(before.root);
  });

  it("heals itself after everything has expired", async () => {
    const clock = testClock();
    const t = await start({ clock });
    open = [];
    await t.stop();
    clock.advance(11 * 365 * DAY);
    const again = await start({ clock });
    await join1(again, "host-1");
    expect(verifies((await issue(again)).chain, again.ca.trustBundle(), clock.now())).toBe(true);
  });

  it("looks every second while it waits for sidecars", async () => {
    const t = await start();
    await join1(t, "host-1");
    await issue(t);
    await rotate(t, { what: "root" });
    expect(t.timers.pending).toBe(1);
    expect(t.timers.fire()).toBe(1_000);
  });

  it("looks every second when the end of a replaced one is near, so that it is not believed for longer", async () => {
    const t = await start();
    const waited = async (): Promise<number> => {
      t.timers.fire();
      await expect.poll(() => t.timers.pending).toBe(1);
      return t.timers.fire();
    };
    await rotate(t, { what: "root" });
    t.clock.advance(140);
    expect(await waited()).toBeGreaterThan(1_000);
    await expect.poll(() => t.timers.pending).toBe(1);
    t.clock.advance(20);
    expect(await waited()).toBe(1_000);
  });

  it("tells who listens: the bundle, then who signs", async () => {
    const t = await start();
    await join1(t, "host-1");
    await issue(t);
    const heard: string[] = [];
    t.ca.subscribe((what) => heard.push(what));
    await rotate(t, { what: "root" });
    expect(heard).toEqual(["trust-bundle"]);
    await report(t, "host-1");
    await probed(t, "host-1");
    expect(heard).toEqual(["trust-bundle", "trust-bundle", "signing", "trust-bundle", "revocations"]);
  });
});
