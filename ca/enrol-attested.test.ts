import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { makeFolder, openTestAuthority, removeFolder, type TestAuthority } from "./testing/authority.ts";
import { requestText } from "./testing/certificate-request.ts";
import { node, policySet } from "./testing/policy-set.ts";

describe("enrolment on the caller's word", () => {
  let folder: string;
  let t: TestAuthority;
  beforeEach(async () => {
    folder = await makeFolder();
    t = await openTestAuthority({ folder });
    t.ca.setRegistry(policySet([], [node("host-1")]));
  });
  afterEach(async () => {
    await t.stop();
    await removeFolder(folder);
  });
  const enrol = (name: string, csr = requestText()) =>
    t.ca.enrolAttested({ node: name, evidence: "oidc https://issuer.example#ci", csr });

  it("gives a registered node its agent's certificate, with the evidence in the ledger", async () => {
    const { certificate } = await enrol("host-1");
    expect((await t.ca.ledger()).entries[0]).toMatchObject({
      kind: "agent",
      identity: "spiffe://shop.example/cellwall/agent/host-1",
      serial: certificate.serial,
      evidence: "oidc https://issuer.example#ci",
    });
  });

  it("still looks at registration, revocation and the request's key", async () => {
    await expect(enrol("host-9")).rejects.toMatchObject({ code: "ERR_CA_UNKNOWN_NODE" });
    await expect(enrol("host-1", "AAAA")).rejects.toMatchObject({ code: "ERR_CA_CSR" });
    await t.ca.revoke({ node: "host-1", reason: "lost" }, "admin");
    await expect(enrol("host-1")).rejects.toMatchObject({ code: "ERR_CA_REVOKED" });
    const kinds = (await t.ca.ledger()).entries.map((entry) => entry.kind);
    expect(kinds.filter((kind) => kind === "refusal")).toHaveLength(3);
  });

  it("keeps a refusal of the caller's in the ledger, in its chain", async () => {
    await t.ca.recordRefusal({ identity: "", evidence: "oidc token", reason: "no node takes it" });
    expect((await t.ca.ledger()).entries[0]).toMatchObject({ kind: "refusal", reason: "no node takes it" });
    expect(await t.ca.verifyLedger()).toMatchObject({ ok: true });
  });
});
