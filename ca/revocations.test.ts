import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DOCUMENT_TYPES } from "../protocol/index.ts";
import { systemId, verifySignedDocument } from "../spiffe/index.ts";
import { makeFolder, openTestAuthority, removeFolder, type TestAuthority } from "./testing/authority.ts";
import { requestText } from "./testing/certificate-request.ts";
import { node, policySet, workload } from "./testing/policy-set.ts";

const web = "spiffe://shop.example/shop/web";
const orders = "spiffe://shop.example/shop/orders";
const DAY = 86_400;
const set = policySet(
  [workload("web", { runsOn: { node: "host-1" } }), workload("orders", { runsOn: { node: "host-1" } })],
  [node("host-1"), node("host-2")],
);

describe("revocations", () => {
  let folder: string;
  let t: TestAuthority;
  beforeEach(async () => {
    folder = await makeFolder();
    t = await openTestAuthority({ folder });
    t.ca.setRegistry(set);
  });
  afterEach(async () => {
    await t.stop();
    await removeFolder(folder);
  });

  const enrol = async (name = "host-1") =>
    (await t.ca.enrol({ token: (await t.ca.createJoinToken(name)).token, csr: requestText() })).certificate;
  const issue = async (identity = web) => {
    const { certificates } = await t.ca.issueSvids("host-1", { requests: [{ identity, csr: requestText() }] });
    return certificates[0]?.serial ?? "";
  };
  const document = () => t.ca.revocations().document;
  const serials = () => document().serials.map((entry) => entry.serial);
  const verified = () => {
    const { envelope } = t.ca.revocations();
    return verifySignedDocument({
      payload: Buffer.from(envelope.payload, "base64url"),
      signature: envelope.signature,
      typ: DOCUMENT_TYPES.revocations,
      signer: systemId(t.ca.trustDomain, "policy-signer"),
      bundle: t.ca.trustBundle(),
      at: t.clock.now(),
    });
  };

  it("are a signed, empty document of sequence 1 from the first start", async () => {
    expect(document()).toEqual({
      format: "cellwall.revocations/1",
      trustDomain: "shop.example",
      sequence: 1,
      issuedAt: "2030-01-01T00:00:00.000Z",
      serials: [],
      identities: [],
      nodes: [],
    });
    expect(await verified()).toEqual({ ok: true });
    const payload: unknown = JSON.parse(Buffer.from(t.ca.revocations().envelope.payload, "base64url").toString());
    expect(payload).toEqual(document());
  });

  it("of a serial end that certificate; the identity may have another", async () => {
    await enrol();
    const serial = await issue();
    const spelled = `0${serial.toUpperCase()}`;
    expect(await t.ca.revoke({ serial: spelled, reason: "lost laptop" }, "alice")).toEqual({
      sequence: 2,
      serials: 1,
      identities: [web],
    });
    expect(document()).toMatchObject({
      sequence: 2,
      serials: [{ serial, notAfter: "2030-01-01T01:00:00.000Z" }],
      identities: [],
      nodes: [],
    });
    expect(await verified()).toEqual({ ok: true });
    expect(await issue()).not.toBe(serial);
  });

  it("of an identity add the serials it has in force, and nothing is issued to it any more", async () => {
    await enrol();
    const old = await issue();
    t.clock.advance(3000);
    const [a, b, other] = [await issue(), await issue(), await issue(orders)];
    t.clock.advance(1000);
    expect(await t.ca.revoke({ identity: web, reason: "taken over" }, "alice")).toEqual({
      sequence: 2,
      serials: 2,
      identities: [web],
    });
    expect(serials()).toEqual([a, b].sort());
    expect(serials()).not.toContain(old);
    expect(serials()).not.toContain(other);
    expect(document().identities).toEqual([
      { identity: web, revokedAt: t.clock.now().toISOString(), reason: "taken over" },
    ]);
    await expect(issue()).rejects.toMatchObject({ code: "ERR_CA_REVOKED" });
    expect((await t.ca.ledger({ limit: 1 })).entries[0]).toMatchObject({
      kind: "refusal",
      identity: web,
      node: "host-1",
      reason: expect.stringContaining("revoked"),
    });
    await issue(orders);
  });

  it("of a node end its agent and everything that was issued to it; it gets nothing and joins no more", async () => {
    const agent = await enrol();
    const issued = [await issue(web), await issue(orders)];
    const { token } = await t.ca.createJoinToken("host-1");
    const response = await t.ca.revoke({ node: "host-1", reason: "stolen" }, "alice");
    expect(response).toMatchObject({
      serials: 3,
      identities: ["spiffe://shop.example/cellwall/agent/host-1", orders, web],
    });
    expect(serials()).toEqual([agent.serial, ...issued].sort());
    expect(document().nodes).toEqual([{ node: "host-1", revokedAt: t.clock.now().toISOString(), reason: "stolen" }]);
    const revoked = { code: "ERR_CA_REVOKED" };
    await expect(issue()).rejects.toMatchObject(revoked);
    await expect(t.ca.renewAgent("host-1", { csr: requestText() })).rejects.toMatchObject(revoked);
    await expect(t.ca.enrol({ token, csr: requestText() })).rejects.toMatchObject(revoked);
    await expect(t.ca.createJoinToken("host-1")).rejects.toMatchObject(revoked);
    expect(t.ca.workloadsOf("host-1").workloads).toEqual([]);
    await enrol("host-2");
  });

  it("of an agent's certificate keep it from renewing and from obtaining SVIDs", async () => {
    const first = await enrol();
    await t.ca.revoke({ serial: first.serial, reason: "leaked" }, "alice");
    await expect(t.ca.renewAgent("host-1", { csr: requestText() })).rejects.toMatchObject({ code: "ERR_CA_REVOKED" });
    await expect(issue()).rejects.toMatchObject({ code: "ERR_CA_REVOKED" });
    const second = await enrol();
    await expect(t.ca.renewAgent("host-1", { csr: requestText() }, first.serial)).rejects.toMatchObject({
      code: "ERR_CA_REVOKED",
    });
    await t.ca.renewAgent("host-1", { csr: requestText() }, second.serial);
  });

  it("reach an issue that was asked for a moment later, and no issue is half done", async () => {
    await enrol();
    const results = await Promise.allSettled([issue(), t.ca.revoke({ identity: web, reason: "x" }, "alice"), issue()]);
    expect(results.map((result) => result.status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
    expect(serials()).toHaveLength(1);
  });

  it.each([
    [{}, "ERR_CA_REVOKE_REQUEST"],
    [{ serial: "aa", identity: web }, "ERR_CA_REVOKE_REQUEST"],
    [{ serial: "xyz" }, "ERR_CA_REVOKE_REQUEST"],
    [{ serial: "abcdef" }, "ERR_CA_UNKNOWN_SERIAL"],
    [{ identity: "spiffe://shop.example/shop//web" }, "ERR_CA_REVOKE_REQUEST"],
    [{ identity: "spiffe://shop.example/cellwall/policy-signer" }, "ERR_CA_NOT_REVOCABLE"],
    [{ identity: "spiffe://shop.example/cellwall/agent/host-1" }, "ERR_CA_NOT_REVOCABLE"],
    [{ node: "" }, "ERR_CA_REVOKE_REQUEST"],
  ])("refuse %j, and stay as they are", async (request, code) => {
    await expect(t.ca.revoke({ ...request, reason: "x" }, "alice")).rejects.toMatchObject({ code });
    expect(document().sequence).toBe(1);
  });

  it("refuse the system's own certificates", async () => {
    for (const { serial } of t.ca.authorities()) {
      await expect(t.ca.revoke({ serial, reason: "x" }, "alice")).rejects.toMatchObject({
        code: "ERR_CA_NOT_REVOCABLE",
      });
    }
  });

  it("keep the first reason of an entry, and grow in sequence each time", async () => {
    await t.ca.revoke({ identity: web, reason: "first" }, "alice");
    await t.ca.revoke({ identity: web, reason: "second" }, "bob");
    expect(document()).toMatchObject({ sequence: 3, identities: [{ reason: "first" }] });
  });

  it("drop a serial once its certificate has expired, and keep identities and nodes for good", async () => {
    await enrol();
    const serial = await issue();
    await t.ca.revoke({ identity: web, reason: "x" }, "alice");
    await t.ca.revoke({ node: "host-2", reason: "x" }, "alice");
    t.clock.advance(3600);
    await t.ca.renewDue();
    expect(serials()).toEqual([serial]);
    t.clock.advance(1);
    await t.ca.renewDue();
    expect(document()).toMatchObject({
      sequence: 4,
      serials: [],
      identities: [{ identity: web }],
      nodes: [{ node: "host-2" }],
    });
  });

  it("are the same, byte for byte, after a restart, and still hold", async () => {
    await enrol();
    await t.ca.revoke({ identity: web, reason: "x" }, "alice");
    const before = t.ca.revocations();
    await t.stop();
    t = await openTestAuthority({ folder, clock: t.clock });
    t.ca.setRegistry(set);
    expect(t.ca.revocations()).toEqual(before);
    await expect(issue()).rejects.toMatchObject({ code: "ERR_CA_REVOKED" });
  });

  it("are signed again when the signer is renewed, so that a new agent can verify them", async () => {
    await t.ca.revoke({ identity: web, reason: "x" }, "alice");
    t.clock.advance(4 * DAY);
    await t.ca.renewDue();
    t.clock.advance(6 * DAY);
    await t.ca.renewDue();
    expect(document()).toMatchObject({ sequence: 4, identities: [{ identity: web }] });
    expect(await verified()).toEqual({ ok: true });
  });

  it("tell their subscribers after they are in force, and only those that have stayed", async () => {
    const seen: unknown[] = [];
    const stop = t.ca.subscribe((what) => seen.push([what, document().sequence]));
    t.ca.subscribe(() => {
      throw new Error("a bad listener");
    });
    t.ca.subscribe((what) => seen.push(what));
    await t.ca.revoke({ identity: web, reason: "x" }, "alice");
    stop();
    await t.ca.revoke({ identity: orders, reason: "x" }, "alice");
    expect(seen).toEqual([["revocations", 2], "revocations", "revocations"]);
    expect(t.problems).toHaveLength(2);
  });

  it("name callers whose open streams are to end, for as long as one could last", async () => {
    await enrol();
    await issue();
    await t.ca.revoke({ identity: orders, reason: "x" }, "admin");
    expect(document()).not.toHaveProperty("severed");
    await t.ca.revoke({ identity: web, reason: "x", sever: true }, "admin");
    expect(document().severed).toEqual([{ identity: web, at: t.clock.now().toISOString() }]);
    t.clock.advance(60);
    await t.ca.revoke({ identity: web, reason: "again", sever: true }, "admin");
    expect(document().severed).toEqual([{ identity: web, at: t.clock.now().toISOString() }]);
    t.clock.advance(3_900);
    await t.ca.revoke({ identity: orders, reason: "x" }, "admin");
    expect(document()).not.toHaveProperty("severed");
  });
});
