import { connect, type TLSSocket } from "node:tls";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { freshKey, requestText } from "../ca/testing/certificate-request.ts";
import { apiError, nodeWorkloads, signedEnvelope, svidsResponse, trustBundles } from "../protocol/index.ts";
import { createTestCa } from "../spiffe/testing/index.ts";
import {
  type ClientIdentity,
  GOOD_SET,
  type Harness,
  identityOf,
  openHarness,
  policyText,
  until,
} from "./testing/harness.ts";

const WEB = "spiffe://shop.example/shop/web";

describe("the agents' API", () => {
  let harness: Harness;
  let agent: ClientIdentity;
  beforeEach(async () => {
    harness = await openHarness();
    await harness.authority.publish(GOOD_SET, "test");
    agent = await harness.enrol("host-1");
  });
  afterEach(() => harness.close());

  const refusal = async (path: string, identity?: ClientIdentity): Promise<[number, string]> => {
    const answer = await harness.call("get", path, identity);
    return [answer.status, apiError.parse(answer.body).error.code];
  };
  const svidOf = async (identity: string): Promise<ClientIdentity> => {
    const key = freshKey();
    const requests = [{ identity, csr: requestText({ key }) }];
    const answer = await harness.call("post", "/v1/svids", agent).send({ requests });
    const [certificate] = svidsResponse.parse(answer.body).certificates;
    return identityOf(certificate?.chain ?? [], key, certificate?.serial ?? "");
  };

  it("gives an agent its workloads, the trust bundle, the signed bundle, its shards and the revocations", async () => {
    const workloads = nodeWorkloads.parse((await harness.call("get", "/v1/node/workloads", agent)).body);
    expect(workloads.workloads.map((each) => each.name).sort()).toEqual(["orders", "web"]);
    const bundles = trustBundles.parse((await harness.call("get", "/v1/trust-bundles", agent)).body);
    expect(Object.keys(bundles.bundles)).toEqual(["shop.example"]);
    signedEnvelope.parse((await harness.call("get", "/v1/bundle", agent)).body);
    signedEnvelope.parse((await harness.call("get", "/v1/revocations", agent)).body);
    const [sha256 = ""] = Object.values(harness.ca.bundle()?.manifest.shards ?? {});
    const shard = await harness.call("get", `/v1/bundle/shards/${sha256}`, agent).buffer(true);
    expect(Buffer.from(shard.body)).toEqual(Buffer.from(harness.ca.shard(sha256) ?? []));
  });

  it.each([
    "/v1/node/workloads",
    "/v1/trust-bundles",
    "/v1/bundle",
    `/v1/bundle/shards/${"0".repeat(64)}`,
    "/v1/revocations",
  ])("%s needs an agent's certificate", async (path) => {
    expect(await refusal(path)).toEqual([401, "ERR_AUTHORITY_UNAUTHENTICATED"]);
    const admin = await harness.admin("get", path);
    expect(admin.status).toBe(401);
  });

  it.each(["/v1/renew", "/v1/svids", "/v1/node/status"])("POST %s needs an agent's certificate", async (path) => {
    const answer = await harness.call("post", path).send({});
    expect([answer.status, answer.body.error.code]).toEqual([401, "ERR_AUTHORITY_UNAUTHENTICATED"]);
  });

  it("refuses a workload's certificate, although our own root signed it", async () => {
    expect(await refusal("/v1/bundle", await svidOf(WEB))).toEqual([401, "ERR_AUTHORITY_UNAUTHENTICATED"]);
  });

  it("refuses an agent's certificate of another root, whatever it calls itself", async () => {
    const { chainPem, keyPem } = createTestCa({ trustDomain: "shop.example" })
      .intermediate()
      .issue({ uris: ["spiffe://shop.example/cellwall/agent/host-1"] });
    const foreign = { certPem: chainPem, keyPem, serial: "" };
    expect(await refusal("/v1/bundle", foreign)).toEqual([401, "ERR_AUTHORITY_UNAUTHENTICATED"]);
  });

  it("refuses an expired certificate", async () => {
    harness.advance(400 * 24 * 3600);
    expect((await refusal("/v1/bundle", agent))[0]).toBe(401);
  });

  it("refuses an agent once its node is revoked, and no other one", async () => {
    const other = await harness.enrol("host-2");
    expect((await harness.call("get", "/v1/revocations", agent)).status).toBe(200);
    await harness.ca.revoke({ node: "host-1", reason: "stolen" }, "test");
    expect(await refusal("/v1/bundle", agent)).toEqual([403, "ERR_AUTHORITY_REVOKED"]);
    expect((await harness.call("get", "/v1/bundle", other)).status).toBe(200);
  });

  it("refuses a revoked agent on a connection that is open already", async () => {
    const socket = await openConnection(harness, agent);
    expect(await rawStatus(socket, "/v1/bundle")).toBe(200);
    await harness.ca.revoke({ node: "host-1", reason: "stolen" }, "test");
    expect(await rawStatus(socket, "/v1/bundle")).toBe(403);
    socket.destroy();
  });

  it("ends a held request of an agent that is revoked, with a refusal", async () => {
    const { headers } = await harness.call("get", "/v1/bundle", agent);
    const held = harness
      .call("get", "/v1/bundle", agent)
      .set({ "If-None-Match": headers.etag ?? "", Prefer: "wait=60" })
      .then((answer) => answer);
    await until("the request is held", () => waiting(harness, 1));
    await harness.ca.revoke({ node: "host-1", reason: "stolen" }, "test");
    await harness.authority.publish(
      [...GOOD_SET.slice(0, 1), { path: "access.yaml", text: policyText("GET /new") }],
      "test",
    );
    expect((await held).status).toBe(403);
  });

  it("resumes no TLS session: a resumed one would carry no chain", async () => {
    const sessions: Buffer[] = [];
    const first = await openConnection(harness, agent);
    first.on("session", (session: Buffer) => sessions.push(session));
    expect(await rawStatus(first, "/v1/bundle")).toBe(200);
    first.destroy();
    const session = sessions.at(-1);
    const second = await openConnection(harness, agent, session);
    expect([second.isSessionReused(), await rawStatus(second, "/v1/bundle")]).toEqual([false, 200]);
    second.destroy();
  });

  it("holds each document until it changes", async () => {
    const read = async (path: string, etag: string) =>
      harness.call("get", path, agent).set({ "If-None-Match": etag, Prefer: "wait=60" });
    const paths = ["/v1/bundle", "/v1/revocations", "/v1/node/workloads"];
    const held = [];
    for (const path of paths) {
      const { headers } = await harness.call("get", path, agent);
      held.push(read(path, headers.etag ?? ""));
    }
    await until("three requests are held", () => waiting(harness, 3));
    const [first, ...rest] = GOOD_SET;
    const text = `${first?.text ?? ""}---\napiVersion: cellwall.dev/v1\nkind: Workload\nmetadata: { name: mail, namespace: shop }\nspec: { runsOn: { labels: { pool: apps } } }\n`;
    await harness.authority.publish([{ path: "mesh.yaml", text }, ...rest], "test");
    await harness.ca.revoke({ identity: WEB, reason: "taken over" }, "test");
    const answers = await Promise.all(held);
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200]);
    expect(nodeWorkloads.parse(answers[2]?.body).workloads).toHaveLength(3);
  });

  it("answers 304 with nothing new, 200 to another tag", async () => {
    const { headers } = await harness.call("get", "/v1/node/workloads", agent);
    const same = await harness.call("get", "/v1/node/workloads", agent).set("If-None-Match", headers.etag ?? "");
    const other = await harness.call("get", "/v1/node/workloads", agent).set("If-None-Match", '"x"');
    expect([same.status, other.status]).toEqual([304, 200]);
  });

  it("lets held requests go when it closes", async () => {
    const { headers } = await harness.call("get", "/v1/bundle", agent);
    const held = harness
      .call("get", "/v1/bundle", agent)
      .set({ "If-None-Match": headers.etag ?? "", Prefer: "wait=60" })
      .then((answer) => answer.status);
    await until("the request is held", () => waiting(harness, 1));
    const started = Date.now();
    await harness.authority.close();
    expect(await held).toBe(304);
    expect(Date.now() - started).toBeLessThan(5_000);
  });

  it("shows in the status what an agent reports and when it called", async () => {
    const answer = await harness.call("post", "/v1/node/status", agent).send({ epoch: 1, revision: 7, revocations: 3 });
    expect(answer.status).toBe(200);
    const [first, second] = harness.authority.status().nodes;
    expect(first).toMatchObject({
      node: "host-1",
      enrolled: true,
      epoch: 1,
      revision: 7,
      revocations: 3,
      lastSeen: expect.any(String),
    });
    expect(second).toEqual({ node: "host-2", enrolled: false });
  });

  it("issues only what may run on the agent's node, all or nothing, and writes the refusal into the ledger", async () => {
    const requests = [
      { identity: WEB, csr: requestText() },
      { identity: "spiffe://shop.example/shop/nobody", csr: requestText() },
    ];
    const answer = await harness.call("post", "/v1/svids", agent).send({ requests });
    expect([answer.status, answer.body.error.code]).toEqual([403, "ERR_CA_UNREGISTERED"]);
    const { entries } = await harness.ca.ledger({ limit: 1 });
    expect(entries[0]).toMatchObject({ kind: "refusal", node: "host-1" });
  });

  it("lets a join token join once", async () => {
    const { token } = await harness.ca.createJoinToken("host-2");
    const statuses = [];
    for (let round = 0; round < 2; round += 1) {
      statuses.push((await harness.call("post", "/v1/enrol").send({ token, csr: requestText() })).status);
    }
    expect(statuses).toEqual([200, 401]);
  });

  it("renews an agent's certificate under a new serial", async () => {
    const key = freshKey();
    const answer = await harness.call("post", "/v1/renew", agent).send({ csr: requestText({ key }) });
    const renewed = identityOf(answer.body.certificate.chain, key, answer.body.certificate.serial);
    expect(renewed.serial).not.toBe(agent.serial);
    expect((await harness.call("get", "/v1/bundle", renewed)).status).toBe(200);
  });
});

async function waiting(harness: Harness, count: number): Promise<boolean> {
  const { text } = await harness.call("get", "/metrics");
  return text.includes(`cellwall_authority_waiting_requests ${count}\n`);
}

function openConnection(harness: Harness, identity: ClientIdentity, session?: Buffer): Promise<TLSSocket> {
  const { port } = new URL(harness.url);
  const socket = connect({
    host: "127.0.0.1",
    port: Number(port),
    ca: harness.rootPem,
    cert: identity.certPem,
    key: identity.keyPem,
    ...(session === undefined ? {} : { session }),
  });
  return new Promise((resolve, reject) => socket.once("secureConnect", () => resolve(socket)).once("error", reject));
}

/** The status of a GET over an open connection. */
function rawStatus(socket: TLSSocket, path: string): Promise<number> {
  socket.write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("data", (chunk: Buffer) => resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(chunk.toString("latin1"))?.[1])));
  });
}
