import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freshKey, requestText } from "../../ca/testing/certificate-request.ts";
import { type CaStatus, caStatus, issuedCertificate, trustBundles } from "../../protocol/index.ts";
import { type ClientIdentity, GOOD_SET, type Harness, identityOf, openHarness } from "../testing/harness.ts";

const web = "spiffe://shop.example/shop/web";

describe("the certificate authority's routes", () => {
  let harness: Harness;
  let agent: ClientIdentity;
  beforeEach(async () => {
    harness = await openHarness();
    await harness.authority.publish(GOOD_SET, "test");
    agent = await harness.enrol("host-1");
    const requests = [{ identity: web, csr: requestText({ key: freshKey() }) }];
    await harness.call("post", "/v1/svids", agent).send({ requests });
  });
  afterEach(() => harness.close());

  const status = async (): Promise<CaStatus> => caStatus.parse((await harness.admin("get", "/v1/ca/status")).body);
  const rotate = async (what: string): Promise<CaStatus> =>
    caStatus.parse((await harness.admin("post", "/v1/ca/rotations").send({ what, reason: "drill" })).body);
  const report = async (trust: object) =>
    harness.call("post", "/v1/node/status", agent).send({ epoch: 1, revision: 1, revocations: 0, trust });
  const notice = async () => trustBundles.parse((await harness.call("get", "/v1/trust-bundles", agent)).body);
  const root = ({ authorities }: CaStatus) =>
    authorities.find((one) => one.role === "root" && one.state === "active")?.serial;

  it("shows who signs until when, who holds what, and that nobody has confirmed anything yet", async () => {
    const seen = await status();
    expect(seen.authorities.map(({ key, role, state }) => [role, state, key])).toEqual(
      ["root", "intermediate", "policy-signer", "jwt"].map((role) => [role, "active", "here"]),
    );
    expect(seen.holders).toEqual([expect.objectContaining({ node: "host-1", workloads: 1 })]);
    expect(seen.holders[0]?.sidecars).toBeUndefined();
  });

  it("a new root goes from the bundle over confirmation and handshake into use, step by step by the agent's reports", async () => {
    const begun = await rotate("root");
    expect(begun.rotations).toEqual([
      expect.objectContaining({ phase: "distributing", laggards: [expect.objectContaining({ node: "host-1" })] }),
    ]);
    expect((await harness.authority.audit())[0]).toMatchObject({ action: "rotate", subject: "root", detail: "drill" });
    const bundle = begun.bundle.sha256;
    const sidecar = { workload: "shop/web", confirmed: bundle };
    await report({ bundle, settling: false, sidecars: [sidecar] });
    await expect.poll(async () => (await status()).rotations[0]?.phase).toBe("probing");
    const { probe = "" } = await notice();
    const key = freshKey();
    const answer = await harness.call("post", "/v1/node/probe", agent).send({ csr: requestText({ key }) });
    const certificate = issuedCertificate.parse(answer.body);
    expect(certificate.identity).toBe("spiffe://shop.example/cellwall/agent/host-1");
    expect(root(await status())).toBe(root(begun));
    const outcome = { authority: probe, outcome: "accepted" };
    await report({ bundle, settling: false, sidecars: [{ ...sidecar, probe: outcome }] });
    await expect.poll(async () => root(await status())).not.toBe(root(begun));
    expect((await status()).holders[0]).toMatchObject({ sidecars: 1, confirmed: 1 });
  });

  it("goes on serving who knows only the old root, and an agent whose certificate is of the old one", async () => {
    const before = await status();
    await harness.admin("post", "/v1/ca/rotations").send({ what: "root", force: true });
    await expect.poll(async () => root(await status())).not.toBe(root(before));
    expect((await harness.call("get", "/v1/trust-bundles", agent)).status).toBe(200);
    const renewed = await harness.call("post", "/v1/renew", agent).send({ csr: requestText({ key: freshKey() }) });
    expect(renewed.status).toBe(200);
  });

  it("answers 409 to a handshake trial while nothing lies prepared, and to what would not help", async () => {
    const probe = await harness.call("post", "/v1/node/probe", agent).send({ csr: requestText({ key: freshKey() }) });
    expect([probe.status, probe.body.error.code]).toEqual([409, "ERR_CA_ROTATION"]);
    const useless = { what: "intermediate", compromised: true };
    expect((await harness.admin("post", "/v1/ca/rotations").send(useless)).status).toBe(409);
    expect((await harness.authority.audit())[0]).toMatchObject({ action: "rotate", outcome: "refused" });
  });

  it("a node that joins by a token of before the replacement is let in, by the certificate that crosses over", async () => {
    const { token } = await harness.ca.createJoinToken("host-2");
    await harness.admin("post", "/v1/ca/rotations").send({ what: "root", force: true });
    const key = freshKey();
    const answer = await harness.call("post", "/v1/enrol").send({ token, csr: requestText({ key }) });
    expect(answer.status).toBe(200);
    const joined = identityOf(answer.body.certificate.chain, key, answer.body.certificate.serial);
    expect((await harness.call("get", "/v1/trust-bundles", joined)).status).toBe(200);
  });
});
