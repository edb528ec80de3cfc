import { decodeProtectedHeader, jwtVerify } from "jose";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeFolder, openTestAuthority, removeFolder, type TestAuthority } from "./testing/authority.ts";
import { requestText } from "./testing/certificate-request.ts";
import { node, policySet, workload } from "./testing/policy-set.ts";

const web = "spiffe://shop.example/shop/web";
const db = "spiffe://shop.example/shop/db";
const set = policySet(
  [workload("web", { runsOn: { node: "host-1" } }), workload("db", { runsOn: { node: "host-2" } })],
  [node("host-1"), node("host-2")],
);

describe("jwt-svids", () => {
  let folder: string;
  let t: TestAuthority;
  beforeEach(async () => {
    folder = await makeFolder();
    t = await openTestAuthority({ folder });
    t.ca.setRegistry(set);
    await t.ca.enrol({ token: (await t.ca.createJoinToken("host-1")).token, csr: requestText() });
  });
  afterEach(async () => {
    await t.stop();
    await removeFolder(folder);
  });
  const ask = (identity: string, ...audience: string[]) =>
    t.ca.issueJwtSvids("host-1", { requests: [{ identity, audience }] });

  it("J-2, J-3, J-4, J-5: verify by the trust bundle: ES256, no header but alg, kid and typ, the claims of the spec", async () => {
    const { tokens } = await ask(web, "orders", "billing");
    const [{ token = "" } = {}] = tokens;
    const [kid = "", key] = [...t.ca.trustBundle().jwtAuthorities][0] ?? [];
    if (key === undefined) throw new Error("no key for tokens in the bundle");
    expect(decodeProtectedHeader(token)).toEqual({ alg: "ES256", kid, typ: "JWT" });
    const { payload } = await jwtVerify(token, key, { audience: "billing", currentDate: t.clock.now() });
    const iat = t.clock.now().getTime() / 1000;
    expect(payload).toEqual({
      sub: web,
      aud: ["orders", "billing"],
      iat,
      exp: iat + 300,
      jti: expect.stringMatching(/^[0-9a-f]+$/),
    });
    expect(tokens[0]).toMatchObject({ identity: web, expiresAt: new Date((iat + 300) * 1000).toISOString() });
  });

  it("are in the ledger by their jti, with node, evidence and audience, before anybody has them", async () => {
    const { tokens } = await ask(web, "orders");
    const { jti } = JSON.parse(Buffer.from(tokens[0]?.token.split(".")[1] ?? "", "base64url").toString());
    expect((await t.ca.ledger({ identity: web })).entries).toEqual([
      expect.objectContaining({
        kind: "jwt-svid",
        serial: jti,
        node: "host-1",
        evidence: "runsOn node host-1; audience orders",
      }),
    ]);
  });

  it("are refused, and the refusal recorded, for a workload of another node, an unknown one and a revoked one", async () => {
    await expect(ask(db, "x")).rejects.toMatchObject({ code: "ERR_CA_NOT_ON_NODE" });
    await expect(ask("spiffe://shop.example/shop/nobody", "x")).rejects.toMatchObject({ code: "ERR_CA_UNREGISTERED" });
    await t.ca.revoke({ identity: web, reason: "gone" }, "alice");
    await expect(ask(web, "x")).rejects.toMatchObject({ code: "ERR_CA_REVOKED" });
    const { entries } = await t.ca.ledger();
    expect(entries.filter((entry) => entry.kind === "refusal")).toHaveLength(3);
  });

  it("are all or none", async () => {
    const requests = [web, db].map((identity) => ({ identity, audience: ["x"] }));
    await expect(t.ca.issueJwtSvids("host-1", { requests })).rejects.toMatchObject({ code: "ERR_CA_NOT_ON_NODE" });
    expect((await t.ca.ledger()).entries.filter((entry) => entry.kind === "jwt-svid")).toEqual([]);
  });

  it.each([[[]], [[""]], [["a", "a"]]])("J-5: need an audience: %j", async (audience) => {
    await expect(ask(web, ...audience)).rejects.toMatchObject({ code: "ERR_CA_JWT_REQUEST" });
  });

  it("cannot be revoked one by one, and say so", async () => {
    await ask(web, "orders");
    const serial = (await t.ca.ledger({ identity: web })).entries[0]?.serial ?? "";
    await expect(t.ca.revoke({ serial, reason: "x" }, "alice")).rejects.toMatchObject({ code: "ERR_CA_NOT_REVOCABLE" });
  });
});
