import { createPublicKey, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseJoinToken, type SvidsRequest } from "../protocol/index.ts";
import { parseSpiffeId, parseTrustBundle, verifyX509Svid } from "../spiffe/index.ts";
import { makeFolder, openTestAuthority, removeFolder, type TestAuthority } from "./testing/authority.ts";
import { freshKey, requestText } from "./testing/certificate-request.ts";
import { node, policySet, workload } from "./testing/policy-set.ts";

const web = "spiffe://shop.example/shop/web";
const orders = "spiffe://shop.example/shop/orders";
const db = "spiffe://shop.example/shop/db";
const set = policySet(
  [
    workload("web", { runsOn: { labels: new Map([["pool", { kind: "equals", value: "apps" }]]) } }),
    workload("orders", { runsOn: { node: "host-1" } }),
    workload("db", { runsOn: { node: "host-2" } }),
  ],
  [
    node("host-1", { pool: "apps" }),
    node("host-2", { pool: "data" }),
    {
      ...node("host-3"),
      attest: [{ kind: "oidc", proof: { issuer: "https://ci.example", audience: "cellwall", claims: new Map() } }],
    },
  ],
);

describe("issuing", () => {
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

  const join1 = async (name = "host-1") =>
    t.ca.enrol({ token: (await t.ca.createJoinToken(name)).token, csr: requestText() });
  const ask = (...identities: readonly string[]): SvidsRequest => ({
    requests: identities.map((identity) => ({ identity, csr: requestText() })),
  });
  const refusals = async () => (await t.ca.ledger()).entries.filter((entry) => entry.kind === "refusal");
  const chainOf = (chain: readonly string[]) => chain.map((der) => new X509Certificate(Buffer.from(der, "base64url")));
  const breakLedger = () =>
    sql`create trigger broken before insert on ca_ledger begin select raise(abort, 'disk gone'); end`.execute(t.db);
  const mendLedger = () => sql`drop trigger broken`.execute(t.db);

  describe("by join token", () => {
    it("gives an agent its certificate, the trust bundle, and the root that the token named", async () => {
      const made = await t.ca.createJoinToken("host-1");
      expect(made).toMatchObject({ node: "host-1", expiresAt: "2030-01-01T00:15:00.000Z" });
      expect(parseJoinToken(made.token).rootFingerprint).toBe(t.ca.rootFingerprint());
      const key = freshKey();
      const joined = await t.ca.enrol({ token: made.token, csr: requestText({ key }) });
      const chain = chainOf(joined.certificate.chain);
      const bundle = parseTrustBundle(t.ca.trustDomain, joined.trustBundle);
      const id = parseSpiffeId("spiffe://shop.example/cellwall/agent/host-1");
      expect(verifyX509Svid(chain, bundle, { at: t.clock.now() })).toMatchObject({ ok: true, id });
      expect(chain[0]?.publicKey.equals(createPublicKey(key))).toBe(true);
      expect(chain[0] && new Date(chain[0].validTo).toISOString()).toBe(joined.certificate.notAfter);
      expect((await t.ca.ledger({ node: "host-1" })).entries).toEqual([
        expect.objectContaining({
          kind: "agent",
          identity: id.toString(),
          serial: joined.certificate.serial,
          evidence: `join-token ${parseJoinToken(made.token).id}`,
        }),
      ]);
    });

    it("works once: a second use is refused, counted and in the ledger", async () => {
      const { token } = await t.ca.createJoinToken("host-1");
      await t.ca.enrol({ token, csr: requestText() });
      await expect(t.ca.enrol({ token, csr: requestText() })).rejects.toMatchObject({ code: "ERR_CA_JOIN_TOKEN_USED" });
      t.clock.advance(3600);
      await expect(t.ca.enrol({ token, csr: requestText() })).rejects.toMatchObject({ code: "ERR_CA_JOIN_TOKEN_USED" });
      expect(t.ca.counters()).toMatchObject({ issued: 1, refused: 2, joinTokenReplays: 2 });
      expect(await refusals()).toHaveLength(2);
      expect((await refusals())[0]).toMatchObject({
        node: "host-1",
        identity: "spiffe://shop.example/cellwall/agent/host-1",
        reason: expect.stringContaining("used already"),
      });
    });

    it("works once when used twice at the same moment, and after a restart", async () => {
      const { token } = await t.ca.createJoinToken("host-1");
      const uses = await Promise.allSettled([1, 2, 3].map(() => t.ca.enrol({ token, csr: requestText() })));
      expect(uses.filter((use) => use.status === "fulfilled")).toHaveLength(1);
      await t.stop();
      t = await openTestAuthority({ folder });
      t.ca.setRegistry(set);
      await expect(t.ca.enrol({ token, csr: requestText() })).rejects.toMatchObject({ code: "ERR_CA_JOIN_TOKEN_USED" });
    });

    it("writes a flood of refused uses down 16 times, and counts all of them", async () => {
      const { token } = await t.ca.createJoinToken("host-1");
      await t.ca.enrol({ token, csr: requestText() });
      for (let use = 0; use < 20; use += 1) await t.ca.enrol({ token, csr: requestText() }).catch(() => undefined);
      expect(await refusals()).toHaveLength(16);
      expect(t.ca.counters().joinTokenReplays).toBe(20);
    });

    it("is refused after 15 minutes", async () => {
      const { token } = await t.ca.createJoinToken("host-1");
      t.clock.advance(15 * 60);
      await expect(t.ca.enrol({ token, csr: requestText() })).rejects.toMatchObject({
        code: "ERR_CA_JOIN_TOKEN_EXPIRED",
      });
      expect(await refusals()).toHaveLength(1);
    });

    it("says the same of an unknown token and of a wrong secret, and stores nothing for an unknown one", async () => {
      const { token } = await t.ca.createJoinToken("host-1");
      const [form, id, secret = "", root] = token.split(".");
      const wrong = [form, id, secret.replace(/./, (first) => (first === "A" ? "B" : "A")), root].join(".");
      const unknown = [form, "0123456789abcdef", secret, root].join(".");
      const errors = [];
      for (const text of [wrong, unknown])
        errors.push(await t.ca.enrol({ token: text, csr: requestText() }).catch((error: unknown) => error));
      expect(errors[0]).toMatchObject({ code: "ERR_CA_JOIN_TOKEN" });
      expect(errors[0]).toEqual(errors[1]);
      expect(await refusals()).toHaveLength(1);
      await t.ca.enrol({ token, csr: requestText() });
    });

    it("is refused where it is malformed or of another authority", async () => {
      const { token } = await t.ca.createJoinToken("host-1");
      const foreign = token.replace(/[0-9a-f]{64}$/, "0".repeat(64));
      for (const text of [foreign, "cwj1.x", "", `${token}0`]) {
        await expect(t.ca.enrol({ token: text, csr: requestText() })).rejects.toMatchObject({
          code: "ERR_CA_JOIN_TOKEN",
        });
      }
    });

    it("is not made for a node that is unknown or joins another way, and says which are known", async () => {
      await expect(t.ca.createJoinToken("host-9")).rejects.toMatchObject({
        code: "ERR_CA_UNKNOWN_NODE",
        hint: expect.stringContaining("host-1"),
      });
      await expect(t.ca.createJoinToken("host-3")).rejects.toMatchObject({ code: "ERR_CA_ATTESTATION" });
    });

    it("is refused once its node is no longer registered", async () => {
      const { token } = await t.ca.createJoinToken("host-1");
      t.ca.setRegistry(policySet([], [node("host-2")]));
      await expect(t.ca.enrol({ token, csr: requestText() })).rejects.toMatchObject({ code: "ERR_CA_UNKNOWN_NODE" });
    });

    it("stays usable after a request that is refused, and after one whose ledger entry could not be written", async () => {
      const { token } = await t.ca.createJoinToken("host-1");
      const bad = requestText({ uris: [web] });
      await expect(t.ca.enrol({ token, csr: bad })).rejects.toMatchObject({ code: "ERR_CA_CSR" });
      await breakLedger();
      await expect(t.ca.enrol({ token, csr: requestText() })).rejects.toThrow("disk gone");
      await mendLedger();
      expect((await t.ca.enrol({ token, csr: requestText() })).node).toBe("host-1");
    });

    it("SECURITY: its secret is in no file, ledger entry or error", async () => {
      const { token } = await t.ca.createJoinToken("host-1");
      const { secret } = parseJoinToken(token);
      const errors: unknown[] = [];
      await t.ca.enrol({ token, csr: requestText() });
      for (const text of [token, `${token}0`, token.replace("cwj1", "cwj2")]) {
        await t.ca.enrol({ token: text, csr: requestText() }).catch((error: unknown) => errors.push(error));
      }
      expect(errors).toHaveLength(3);
      const said = errors.map((error) => JSON.stringify(error, ["name", "message", "hint", "cause", "stack"]));
      const stored = await Promise.all(["ca.db", "ca.db-wal"].map((name) => readFile(join(folder, name), "latin1")));
      for (const text of [...said, ...stored, JSON.stringify(await t.ca.ledger())]) expect(text).not.toContain(secret);
    });
  });

  describe("to an agent that comes back", () => {
    it("renews by the newest certificate, or by the one that was presented", async () => {
      const first = (await join1()).certificate;
      const second = (await t.ca.renewAgent("host-1", { csr: requestText() })).certificate;
      const third = (await t.ca.renewAgent("host-1", { csr: requestText() }, first.serial)).certificate;
      expect(new Set([first, second, third].map((one) => one.serial)).size).toBe(3);
      expect((await t.ca.ledger({ limit: 1 })).entries[0]).toMatchObject({
        kind: "agent",
        evidence: `agent certificate ${first.serial}`,
      });
    });

    it("refuses an agent whose certificate has expired", async () => {
      const { certificate } = await join1();
      t.clock.advance((Date.parse(certificate.notAfter) - t.clock.now().getTime()) / 1000 + 1);
      await expect(t.ca.renewAgent("host-1", { csr: requestText() })).rejects.toMatchObject({
        code: "ERR_CA_NOT_ENROLLED",
      });
      await expect(t.ca.issueSvids("host-1", ask(web))).rejects.toMatchObject({ code: "ERR_CA_NOT_ENROLLED" });
    });

    it("refuses a node that has not joined, that is unknown, and a serial that is not this agent's", async () => {
      const other = (await join1("host-2")).certificate;
      await expect(t.ca.renewAgent("host-1", { csr: requestText() })).rejects.toMatchObject({
        code: "ERR_CA_NOT_ENROLLED",
      });
      await expect(t.ca.renewAgent("host-9", { csr: requestText() })).rejects.toMatchObject({
        code: "ERR_CA_UNKNOWN_NODE",
      });
      await join1();
      await expect(t.ca.renewAgent("host-1", { csr: requestText() }, other.serial)).rejects.toMatchObject({
        code: "ERR_CA_NOT_ENROLLED",
      });
      expect(await refusals()).toHaveLength(3);
    });

    it("refuses a node that is no longer registered", async () => {
      await join1();
      t.ca.setRegistry(policySet([], []));
      await expect(t.ca.renewAgent("host-1", { csr: requestText() })).rejects.toMatchObject({
        code: "ERR_CA_UNKNOWN_NODE",
      });
      await expect(t.ca.issueSvids("host-1", ask(web))).rejects.toMatchObject({ code: "ERR_CA_UNKNOWN_NODE" });
    });
  });

  describe("of SVIDs", () => {
    it("gives an agent what its node may run, in the order asked for, each in the ledger with its grounds", async () => {
      await join1();
      const { certificates } = await t.ca.issueSvids("host-1", ask(orders, web));
      expect(certificates.map((one) => one.identity)).toEqual([orders, web]);
      for (const one of certificates) {
        expect(verifyX509Svid(chainOf(one.chain), t.ca.trustBundle(), { at: t.clock.now() })).toMatchObject({
          ok: true,
          id: parseSpiffeId(one.identity),
        });
        expect(chainOf(one.chain)).toHaveLength(2);
      }
      const { entries } = await t.ca.ledger({ limit: 2 });
      expect(entries.map((entry) => [entry.identity, entry.serial, entry.node, entry.evidence])).toEqual([
        [web, certificates[1]?.serial, "host-1", "runsOn pool=apps"],
        [orders, certificates[0]?.serial, "host-1", "runsOn node host-1"],
      ]);
    });

    it("refuses a workload of another node, issues nothing of that request, and writes down why", async () => {
      await join1();
      const before = t.ca.counters().issued;
      await expect(t.ca.issueSvids("host-1", ask(web, db))).rejects.toMatchObject({
        code: "ERR_CA_NOT_ON_NODE",
        message: expect.stringContaining("runs on node `host-2`, not on `host-1`"),
      });
      expect(t.ca.counters().issued).toBe(before);
      expect(await refusals()).toEqual([
        expect.objectContaining({
          identity: db,
          node: "host-1",
          evidence: expect.stringContaining("agent certificate"),
        }),
      ]);
      expect((await t.ca.ledger({ identity: web })).entries).toEqual([]);
    });

    it.each([
      ["an identity that no document names", "spiffe://shop.example/shop/none", "ERR_CA_UNREGISTERED"],
      ["an identity of the system", "spiffe://shop.example/cellwall/policy-signer", "ERR_CA_UNREGISTERED"],
      ["another agent's identity", "spiffe://shop.example/cellwall/agent/host-2", "ERR_CA_UNREGISTERED"],
      ["an identity of another trust domain", "spiffe://evil.example/shop/web", "ERR_CA_UNREGISTERED"],
      ["another spelling of a registered one", "spiffe://shop.example/shop//web", "ERR_CA_UNREGISTERED"],
      ["no identity at all", "\u0000\u202e".repeat(300), "ERR_CA_UNREGISTERED"],
    ])("refuses %s", async (_, identity, code) => {
      await join1();
      await expect(t.ca.issueSvids("host-1", ask(identity))).rejects.toMatchObject({ code });
      const [entry] = await refusals();
      expect(entry?.identity).toMatch(/^[\x20-\x7e]{1,256}…?$/);
      expect(entry?.reason).toMatch(/^[\x20-\x7e…]{1,700}$/);
    });

    it("refuses one that has no `runsOn`, except on the local node", async () => {
      const open = policySet([workload("web")], [node("host-1")]);
      t.ca.setRegistry(open, { localNode: "here" });
      await join1();
      await join1("here");
      await expect(t.ca.issueSvids("host-1", ask(web))).rejects.toMatchObject({ code: "ERR_CA_NOT_ON_NODE" });
      expect((await t.ca.issueSvids("here", ask(web))).certificates).toHaveLength(1);
    });

    it("refuses a request that names another identity or that another key has signed", async () => {
      await join1();
      const bad = (csr: string) => t.ca.issueSvids("host-1", { requests: [{ identity: web, csr }] });
      await expect(bad(requestText({ uris: [orders] }))).rejects.toMatchObject({ code: "ERR_CA_CSR" });
      await expect(bad(requestText({ signer: freshKey() }))).rejects.toMatchObject({ code: "ERR_CA_CSR" });
      await expect(bad("")).rejects.toMatchObject({ code: "ERR_CA_CSR" });
      expect(await refusals()).toHaveLength(3);
    });

    it("SECURITY: hands out no certificate whose ledger entry could not be written", async () => {
      await join1();
      await breakLedger();
      await expect(t.ca.issueSvids("host-1", ask(web))).rejects.toThrow("disk gone");
      await expect(t.ca.issueSystemSvid(parseSpiffeId("spiffe://shop.example/cellwall/authority"))).rejects.toThrow(
        "disk gone",
      );
      await mendLedger();
      expect((await t.ca.ledger({ identity: web })).entries).toEqual([]);
      expect(await t.ca.verifyLedger()).toMatchObject({ ok: true });
      expect(t.ca.counters().issued).toBe(1);
      expect((await t.ca.issueSvids("host-1", ask(web))).certificates).toHaveLength(1);
    });

    it("issues large batches without holding up other work", async () => {
      await join1();
      let turns = 0;
      const ticking = setInterval(() => {
        turns += 1;
      }, 1);
      const { certificates } = await t.ca.issueSvids("host-1", ask(...Array.from({ length: 200 }, () => web)));
      clearInterval(ticking);
      expect(new Set(certificates.map((one) => one.serial)).size).toBe(200);
      expect(turns).toBeGreaterThan(3);
    });
  });

  describe("of the authority's own TLS certificate", () => {
    const authority = parseSpiffeId("spiffe://shop.example/cellwall/authority");

    it("carries its identity and the host names asked for", async () => {
      const svid = await t.ca.issueSystemSvid(authority, {
        dnsNames: ["localhost"],
        ipAddresses: ["127.0.0.1"],
        ttlSeconds: 600,
      });
      expect(svid.chain[0]?.subjectAltName).toBe(`URI:${authority}, DNS:localhost, IP Address:127.0.0.1`);
      expect(svid.notAfter.toISOString()).toBe("2030-01-01T00:10:00.000Z");
      expect(verifyX509Svid(svid.chain, t.ca.trustBundle(), { at: t.clock.now() })).toMatchObject({ ok: true });
      expect((await t.ca.ledger({ limit: 1 })).entries[0]).toMatchObject({ kind: "authority", serial: svid.serial });
    });

    it.each(["cellwall/policy-signer", "cellwall/agent/host-1", "shop/web", "cellwall/authority/x"])(
      "is for no other identity: %s",
      async (path) => {
        const other = parseSpiffeId(`spiffe://shop.example/${path}`);
        await expect(t.ca.issueSystemSvid(other)).rejects.toMatchObject({ code: "ERR_CA_PROFILE" });
        await expect(
          t.ca.issueSystemSvid(parseSpiffeId("spiffe://evil.example/cellwall/authority")),
        ).rejects.toMatchObject({ code: "ERR_CA_PROFILE" });
      },
    );
  });

  it("refuses everything once closed, and has ended what was in hand", async () => {
    const inHand = join1();
    const token = t.ca.createJoinToken("host-1");
    await token;
    await inHand;
    await t.ca.close();
    await expect(t.ca.createJoinToken("host-1")).rejects.toMatchObject({ code: "ERR_CA_CLOSED" });
    expect(t.timers.pending).toBe(0);
  });
});
