import { afterEach, describe, expect, it } from "vitest";
import { apiError, authorityStatus, ledgerEntries, publishResponse } from "../protocol/index.ts";
import { systemId } from "../spiffe/index.ts";
import { BROKEN_SET, GOOD_SET, type Harness, openHarness, policyText, workloadText } from "./testing/harness.ts";

const WEB = "spiffe://shop.example/shop/web";
const ORDERS = "spiffe://shop.example/shop/orders";

describe("Authority", () => {
  let harness: Harness;
  afterEach(() => harness.close());

  const publish = async (files: typeof GOOD_SET, dryRun = false) =>
    harness.admin("post", "/v1/policies").send({ files, dryRun });
  const status = async () => authorityStatus.parse((await harness.admin("get", "/v1/status")).body);

  it("publishes a set, says what it did to the workloads, and counts on from there", async () => {
    harness = await openHarness();
    const first = publishResponse.parse((await publish(GOOD_SET)).body);
    expect(first).toMatchObject({
      published: true,
      policies: 1,
      workloads: { added: [ORDERS, WEB], removed: [], changed: [] },
    });
    const again = publishResponse.parse((await publish(GOOD_SET)).body);
    expect(again).toMatchObject({ published: false, epoch: first.epoch, revision: first.revision });
    const files = [GOOD_SET[0] ?? GOOD_SET[0], { path: "access.yaml", text: policyText("GET /orders/{id:int}") }];
    const next = publishResponse.parse((await publish(files as typeof GOOD_SET)).body);
    expect(next).toMatchObject({
      published: true,
      revision: first.revision + 1,
      workloads: { added: [], changed: [ORDERS] },
    });
  });

  it("refuses a set with errors whole, with every finding, and keeps the last good one in force", async () => {
    harness = await openHarness();
    const good = publishResponse.parse((await publish(GOOD_SET)).body);
    const answer = await publish(BROKEN_SET);
    expect(answer.status).toBe(422);
    const { error } = apiError.parse(answer.body);
    expect(error).toMatchObject({
      code: "ERR_AUTHORITY_POLICIES_REFUSED",
      message: expect.stringMatching(/^access\.yaml:5:\d+: /),
    });
    expect(error.diagnostics?.length).toBeGreaterThan(0);
    const after = await status();
    expect(after.bundle).toMatchObject({ revision: good.revision, policies: 1 });
    expect(after.refused).toMatchObject({
      errors: expect.any(Number),
      first: { span: { file: "access.yaml", line: 5 } },
    });
    expect((await harness.call("get", "/metrics")).text).toContain("cellwall_authority_refused_edit 1");
    await publish(GOOD_SET);
    expect((await status()).refused).toBeUndefined();
    expect((await harness.call("get", "/metrics")).text).toContain("cellwall_authority_refused_edit 0");
  });

  it("changes nothing in a dry run, and says what it would change", async () => {
    harness = await openHarness();
    await publish(GOOD_SET);
    const before = await status();
    const more = [...GOOD_SET, { path: "more.yaml", text: workloadText("mail").replace("---\n", "") }];
    const answer = publishResponse.parse((await publish(more, true)).body);
    expect(answer).toMatchObject({ published: false, workloads: { added: ["spiffe://shop.example/shop/mail"] } });
    expect((await publish(BROKEN_SET, true)).status).toBe(422);
    const after = await status();
    expect([after.bundle, after.refused, after.workloads]).toEqual([before.bundle, undefined, before.workloads]);
  });

  it("refuses a set of another trust domain, at the place that names it", async () => {
    harness = await openHarness();
    await publish(GOOD_SET);
    const foreign = GOOD_SET.map(({ path, text }) => ({ path, text: text.replace("shop.example", "other.example") }));
    const answer = await publish(foreign);
    expect(answer.status).toBe(422);
    expect(answer.body.error.diagnostics).toEqual([
      expect.objectContaining({
        code: "ERR_AUTHORITY_TRUST_DOMAIN",
        span: expect.objectContaining({ file: "mesh.yaml" }),
      }),
    ]);
    expect((await status()).workloads?.map((each) => each.identity).sort()).toEqual([ORDERS, WEB]);
  });

  it("keeps registry, policies, nodes and audit trail across a restart, under a new revision or the same", async () => {
    harness = await openHarness();
    const { epoch, revision } = publishResponse.parse((await publish(GOOD_SET)).body);
    await harness.enrol("host-1");
    harness = await harness.restart();
    const after = await status();
    expect(after.bundle).toMatchObject({ epoch, revision, policies: 1 });
    expect(after.workloads?.map((each) => each.identity).sort()).toEqual([ORDERS, WEB]);
    expect(after.nodes).toEqual([
      expect.objectContaining({ node: "host-1", enrolled: true }),
      expect.objectContaining({ node: "host-2", enrolled: false }),
    ]);
    expect(
      harness.ca
        .workloadsOf("host-1")
        .workloads.map((each) => each.name)
        .sort(),
    ).toEqual(["orders", "web"]);
    const trail = await harness.authority.audit();
    expect(trail.map(({ actor, action, outcome }) => [actor, action, outcome])).toEqual([
      ["anybody", "enrol", "done"],
      ["local-admin", "publish", "done"],
    ]);
  });

  it("comes back with the last good set, not with the refused one", async () => {
    harness = await openHarness();
    await publish(GOOD_SET);
    await publish(BROKEN_SET);
    harness = await harness.restart();
    const after = await status();
    expect([after.bundle?.policies, after.refused]).toEqual([1, undefined]);
  });

  it("writes every change into the audit trail, refused ones too", async () => {
    harness = await openHarness();
    await publish(GOOD_SET);
    await publish(BROKEN_SET);
    await harness.admin("post", "/v1/join-tokens").send({ node: "nowhere" });
    await harness.admin("post", "/v1/join-tokens").send({ node: "host-1" });
    await harness.admin("post", "/v1/revocations").send({ identity: WEB, reason: "taken over" });
    const trail = await harness.authority.audit();
    expect([...trail].reverse().map(({ action, outcome, subject }) => `${action} ${outcome} ${subject}`)).toEqual([
      expect.stringMatching(/^publish done bundle \d+\.\d+$/),
      "publish refused policies",
      "create-join-token refused node nowhere",
      "create-join-token done node host-1",
      `revoke done identity ${WEB}`,
    ]);
  });

  it("publishes one set after the other, however many come at once", async () => {
    harness = await openHarness();
    const sets = Array.from({ length: 6 }, (_, at) => [
      ...GOOD_SET.slice(0, 1),
      { path: "access.yaml", text: policyText(`GET /v${at}`) },
    ]);
    const answers = await Promise.all(sets.map((files) => harness.authority.publish(files, "test")));
    const revisions = answers.map((answer) => answer.revision);
    expect(revisions).toEqual([...revisions].sort((a, b) => a - b));
    expect(new Set(revisions).size).toBe(6);
  });

  it("revokes exactly one thing at a time", async () => {
    harness = await openHarness();
    await publish(GOOD_SET);
    for (const body of [{ reason: "x" }, { reason: "x", identity: WEB, node: "host-1" }]) {
      const answer = await harness.admin("post", "/v1/revocations").send(body);
      expect([answer.status, answer.body.error.code]).toEqual([400, "ERR_AUTHORITY_BODY"]);
    }
    const answer = await harness.admin("post", "/v1/revocations").send({ identity: WEB, reason: "taken over" });
    expect([answer.status, answer.body.identities]).toEqual([200, [WEB]]);
    expect((await status()).revocations.identities).toBe(1);
  });

  it("lists the ledger, as far as asked", async () => {
    harness = await openHarness();
    await publish(GOOD_SET);
    await harness.enrol("host-1");
    const answer = await harness.admin("get", "/v1/ledger?limit=1&node=host-1");
    expect(ledgerEntries.parse(answer.body).entries).toEqual([
      expect.objectContaining({ kind: "agent", node: "host-1" }),
    ]);
    expect((await harness.admin("get", "/v1/ledger?limit=0")).status).toBe(400);
    expect((await harness.admin("get", "/v1/ledger?nonsense=1")).status).toBe(400);
  });

  it.each([
    ["get", "/v1/status"],
    ["get", "/v1/ledger"],
    ["get", "/v1/openapi.json"],
    ["post", "/v1/policies"],
    ["post", "/v1/revocations"],
    ["post", "/v1/join-tokens"],
  ] as const)("%s %s needs the admin token; an agent's certificate is none", async (method, path) => {
    harness = await openHarness();
    await publish(GOOD_SET);
    const agent = await harness.enrol("host-1");
    for (const request of [
      harness.call(method, path),
      harness.call(method, path, agent),
      harness.call(method, path).set("Authorization", "Bearer wrong"),
      harness.call(method, path).set("Authorization", `Basic ${harness.token}`),
    ]) {
      const answer = await request;
      expect([answer.status, apiError.parse(answer.body).error.code]).toEqual([401, "ERR_AUTHORITY_UNAUTHENTICATED"]);
    }
  });

  it("answers health and readiness, and counts what it did", async () => {
    harness = await openHarness();
    expect((await harness.call("get", "/healthz")).body).toEqual({ status: "ok" });
    expect((await harness.call("get", "/readyz")).body).toEqual({ status: "ready" });
    const { epoch, revision } = publishResponse.parse((await publish(GOOD_SET)).body);
    await publish(BROKEN_SET);
    expect((await harness.call("get", "/readyz")).body).toEqual({ status: "ready", bundle: { epoch, revision } });
    await harness.enrol("host-1");
    await harness.admin("post", "/v1/revocations").send({ identity: WEB, reason: "x" });
    const { text } = await harness.call("get", "/metrics");
    for (const line of [
      'cellwall_authority_publishes_total{result="published"} 1',
      'cellwall_authority_publishes_total{result="refused"} 1',
      `cellwall_authority_bundle_revision ${revision}`,
      'cellwall_authority_issued_certificates_total{kind="agent"} 1',
      'cellwall_authority_revocations_total{kind="identity"} 1',
      'cellwall_authority_refused_requests_total{code="ERR_AUTHORITY_POLICIES_REFUSED"} 1',
    ]) {
      expect(text).toContain(line);
    }
  });

  it("names the local node and lets it run everything", async () => {
    harness = await openHarness({ localNode: "local" });
    await publish(
      GOOD_SET.map(({ path, text }) => ({
        path,
        text: text.replaceAll(/spec: \{ runsOn.*\}\n/g, "spec: { mode: enforce }\n"),
      })),
    );
    expect((await status()).nodes.map((node) => node.node)).toContain("local");
    expect(harness.ca.workloadsOf("local").workloads).toHaveLength(2);
  });

  it("presents the identity of the authority, with the names it was told", async () => {
    harness = await openHarness({ names: ["authority.shop.internal", "10.9.8.7"] });
    const { X509Certificate } = await import("node:crypto");
    const { connect } = await import("node:tls");
    const socket = connect({ port: Number(new URL(harness.url).port), host: "127.0.0.1", ca: harness.rootPem });
    await new Promise<void>((resolve, reject) => socket.once("secureConnect", resolve).once("error", reject));
    const certificate = new X509Certificate(socket.getPeerCertificate().raw);
    const protocol = socket.getProtocol();
    socket.destroy();
    expect(protocol).toBe("TLSv1.3");
    const names = certificate.subjectAltName ?? "";
    for (const name of [
      `URI:${systemId(harness.ca.trustDomain, "authority")}`,
      "IP Address:127.0.0.1",
      "IP Address:10.9.8.7",
      "DNS:localhost",
      "DNS:authority.shop.internal",
    ]) {
      expect(names).toContain(name);
    }
  });

  it("refuses anything older than TLS 1.3", async () => {
    harness = await openHarness();
    const { connect } = await import("node:tls");
    const socket = connect({
      port: Number(new URL(harness.url).port),
      host: "127.0.0.1",
      ca: harness.rootPem,
      maxVersion: "TLSv1.2",
    });
    const outcome = await new Promise<string>((resolve) => {
      socket.once("secureConnect", () => resolve("connected")).once("error", (error) => resolve(error.message));
    });
    socket.destroy();
    expect(outcome).not.toBe("connected");
  });

  it("keeps secrets out of the audit trail", async () => {
    harness = await openHarness();
    await publish(GOOD_SET);
    const { body } = await harness.admin("post", "/v1/join-tokens").send({ node: "host-1" });
    await harness.call("post", "/v1/enrol").send({ token: body.token, csr: "AAAA" });
    const secret = String(body.token).split(".")[2] ?? "";
    expect(secret).toHaveLength(43);
    expect(JSON.stringify(await harness.authority.audit())).not.toContain(secret);
  });
});
