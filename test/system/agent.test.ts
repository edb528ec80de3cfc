import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client, credentials } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Authority, createAuthority } from "../../authority/index.ts";
import { type CertificateAuthority, openCertificateAuthority } from "../../ca/index.ts";
import { AuthorityClient } from "../../ext-authz/agent/authority-client.ts";
import { certificateRequest } from "../../ext-authz/agent/csr.ts";
import { readStoredSvid } from "../../ext-authz/agent/issued.ts";
import { newPrivateKey } from "../../ext-authz/agent/private-key.ts";
import { StateDir } from "../../ext-authz/agent/state-dir.ts";
import { TrustStore } from "../../ext-authz/agent/trust-store.ts";
import { type Agent, type AgentOptions, createAgent, type LogRecord, socketPaths } from "../../ext-authz/index.ts";
import { capturingLogger, type LoggedLine, until } from "../../ext-authz/testing/capture.ts";
import { readAnswer } from "../../ext-authz/testing/check-answer.ts";
import { checkRequest } from "../../ext-authz/testing/check-request.ts";
import { shardOf } from "../../policies/index.ts";
import { parseTrustDomain, SpiffeError } from "../../spiffe/index.ts";
import { JwtSource, X509Source } from "../../spiffe/workload-api/index.ts";
import { openStore, type Store } from "../../store/index.ts";
import { meshDocuments, workloadDocument } from "../support/mesh-documents.ts";

const NODE = "host-7";
const WEB = "spiffe://shop.example/shop/web";
const ELSEWHERE = "spiffe://shop.example/shop/elsewhere";
const ORDERS = "spiffe://shop.example/shop/orders";

const runsOn = { node: NODE };
const policies = (path: string, more = ""): string =>
  meshDocuments({
    trustDomain: "shop.example",
    nodes: { [NODE]: {}, other: {} },
    workloads: {
      web: { runsOn },
      orders: {
        runsOn,
        listens: [
          { port: 8443, app: "127.0.0.1:8080" },
          { port: 2525, app: "127.0.0.1:2525", protocol: "tcp", speaksFirst: "server" },
        ],
      },
      elsewhere: { runsOn: { node: "other" } },
    },
    policies: {
      orders: {
        allow: {
          "web-reads": { from: "web", requests: [`GET ${path}`] },
          "web-mails": { from: "web", requests: ["tcp 2525"] },
        },
      },
    },
  }) + more;

const NEW_WORKLOAD = `---\n${workloadDocument("late", { runsOn })}`;

let folder = "";
let store: Store;
let ca: CertificateAuthority;
let authority: Authority | undefined;
let url = "";
let port = 0;
const agents: Agent[] = [];
const clients: Client[] = [];
const sources: { close(): void }[] = [];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "cw-"));
  await openAuthority();
  await publish("/orders");
});
afterEach(async () => {
  for (const client of [...clients.splice(0), ...sources.splice(0)]) client.close();
  for (const agent of agents.splice(0)) await agent.stop();
  await closeAuthority();
  rmSync(folder, { recursive: true, force: true });
});

async function openAuthority(): Promise<void> {
  const clock = (): Date => new Date();
  store = await openStore({ file: join(folder, "authority.db") });
  const trustDomain = parseTrustDomain("shop.example");
  ca = await openCertificateAuthority({ store, keyFolder: join(folder, "keys"), trustDomain, clock, shardOf });
  authority = createAuthority({ ca, clock, adminToken: "test", version: "0.0.0", store });
  ({ url, port } = await authority.listen({ host: "127.0.0.1", port }));
}

async function closeAuthority(): Promise<void> {
  if (authority === undefined) return;
  await authority.close();
  await ca.close();
  await store.close();
  authority = undefined;
}

async function publish(path: string, more = ""): Promise<void> {
  const answer = await authority?.publish([{ path: "mesh.yaml", text: policies(path, more) }], "test");
  expect(answer?.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
}

interface Started {
  readonly agent: Agent;
  readonly lines: LoggedLine[];
  readonly records: LogRecord[];
}

/** An agent of the node; later ones take up what the first left on disk. */
async function startAgent(options: Partial<AgentOptions> = {}): Promise<Started> {
  const log = capturingLogger();
  const records: LogRecord[] = [];
  const agent = createAgent({
    authorityUrl: url,
    stateDir: join(folder, "agent"),
    runDir: join(folder, "run"),
    log,
    decisionLog: { listener: (record) => records.push(record) },
    ...options,
  });
  agents.push(agent);
  await agent.start();
  return { agent, lines: log.lines, records };
}

async function joinedAgent(options: Partial<AgentOptions> = {}): Promise<Started> {
  const { token } = await ca.createJoinToken(NODE);
  const started = await startAgent({ joinToken: token, ...options });
  await until("the agent is ready", () => started.agent.ready());
  return started;
}

const asIs = (bytes: Buffer): Buffer => bytes;

/** One connection to a workload's Check socket, as a sidecar keeps it. */
function checks(runDir = join(folder, "run")) {
  const { authz } = socketPaths(runDir, { namespace: "shop", name: "orders" });
  const client = new Client(`unix:${authz}`, credentials.createInsecure());
  clients.push(client);
  return async (path: string, more: { readonly caller?: string; readonly serial?: string } = {}): Promise<string> => {
    const request = checkRequest({ caller: WEB, destination: ORDERS, http: { method: "GET", path }, ...more });
    const bytes = await new Promise<Buffer>((resolve, reject) => {
      client.makeUnaryRequest("/envoy.service.auth.v3.Authorization/Check", asIs, asIs, request, (error, response) =>
        error === null && response !== undefined ? resolve(response) : reject(error),
      );
    });
    const answer = readAnswer(bytes);
    return answer.status === 0 ? "allowed" : `${answer.httpStatus} ${answer.reason}`;
  };
}

const codeOf = (read: () => unknown): unknown => {
  try {
    read();
    return undefined;
  } catch (error) {
    return error instanceof SpiffeError ? error.code : error;
  }
};

describe("an agent with its authority", () => {
  it("joins, obtains identities and policy, and decides", async () => {
    const { agent, records } = await joinedAgent();
    const check = checks();
    expect([await check("/orders"), await check("/other")]).toEqual(["allowed", "403 no-rule-matched"]);
    const status = agent.status();
    expect(status).toMatchObject({
      ready: true,
      node: NODE,
      trustDomain: "shop.example",
      enrolment: { state: "enrolled" },
      authority: { reachable: true },
      policy: { state: "current", source: "authority" },
    });
    expect(
      status.workloads.map(({ workload, state, inBundle, svid }) => [workload, state, inBundle, svid.state]).sort(),
    ).toEqual([
      ["shop/orders", "serving", true, "present"],
      ["shop/web", "serving", true, "present"],
    ]);
    await until("both records", () => records.length === 2);
    expect(records[0]).toMatchObject({
      workload: "shop/orders",
      listenerPort: 8443,
      method: "GET",
      pathTemplate: "/orders",
      verdict: "allow",
    });
    expect(records.every((record) => record.kind === "decision")).toBe(true);
  });

  it("leaves warm-up out of the decision log and the metrics, and shows what is real", async () => {
    const { agent, records } = await joinedAgent({ metrics: { host: "127.0.0.1", port: 0 } });
    const metrics = async (): Promise<string> => await (await fetch(`${agent.metricsUrl}/metrics`)).text();
    expect(records).toEqual([]);
    expect(await metrics()).not.toMatch(/^cellwall_decisions_total\{/m);
    await checks()("/orders");
    await until("the record", () => records.length === 1);
    const text = await metrics();
    expect(text).toContain(
      'cellwall_decisions_total{workload="shop/orders",verdict="allow",reason="allowed-by-rule",rule="shop/orders/web-reads"} 1',
    );
    expect(text).toMatch(/^cellwall_bundle_revision 1$/m);
    expect(text).toMatch(/^cellwall_svid_expiry_timestamp_seconds\{workload="shop\/web"\} \d+/m);
    expect((await fetch(`${agent.metricsUrl}/readyz`)).status).toBe(200);
    expect(await (await fetch(`${agent.metricsUrl}/status`)).json()).toMatchObject({ ready: true, node: NODE });
  });

  it("puts a published policy in force without a restart, on an open connection, and reports it", async () => {
    const { agent } = await joinedAgent();
    const check = checks();
    expect(await check("/new")).toBe("403 no-rule-matched");
    await publish("/new");
    await until("the new policy decides", async () => (await check("/new")) === "allowed");
    expect(await check("/orders")).toBe("403 no-rule-matched");
    const { epoch, revision } = agent.status().policy;
    await until(
      "the authority knows",
      () =>
        authority
          ?.status()
          .nodes.some((node) => node.node === NODE && node.epoch === epoch && node.revision === revision) ?? false,
    );
  });

  it("refuses a revoked identity within a second, on an open connection", async () => {
    await joinedAgent();
    const check = checks();
    expect(await check("/orders")).toBe("allowed");
    const startedMs = performance.now();
    await ca.revoke({ identity: WEB, reason: "stolen" }, "test");
    await until("the denial", async () => (await check("/orders")) === "403 revoked-identity", 5_000);
    expect(performance.now() - startedMs).toBeLessThan(1_000);
  });

  it("opens the sockets of a workload that is registered later, and closes those of one that is taken away", async () => {
    const { agent } = await joinedAgent();
    const late = socketPaths(join(folder, "run"), { namespace: "shop", name: "late" });
    await publish("/orders", NEW_WORKLOAD);
    const lateStatus = () => agent.status().workloads.find(({ workload }) => workload === "shop/late");
    await until(
      "its sockets and policy",
      () => existsSync(late.authz) && agent.ready() && lateStatus()?.inBundle === true,
    );
    expect(agent.status().workloads.find(({ workload }) => workload === "shop/late")).toMatchObject({
      state: "serving",
      inBundle: true,
    });
    await publish("/orders");
    await until("their end", () => !existsSync(late.authz));
    expect(await checks()("/orders")).toBe("allowed");
  });

  it("hands an application its X.509 and JWT identities over the Workload API, and takes them back when it is revoked", async () => {
    await joinedAgent();
    const { workload } = socketPaths(join(folder, "run"), { namespace: "shop", name: "web" });
    const address = `unix://${workload}`;
    const [x509, jwt] = await Promise.all([X509Source.open({ address }), JwtSource.open({ address })]);
    sources.push(x509, jwt);
    const { token } = await jwt.fetch({ audience: ["orders"] });
    const verified = await jwt.verify(token, { audience: "orders" });
    expect([`${x509.svid.id}`, verified.ok && `${verified.svid.id}`]).toEqual([WEB, WEB]);
    const own = x509.bundleOf(x509.svid.id.trustDomain);
    expect(own?.x509Authorities[0]?.raw.equals(ca.trustBundle().x509Authorities[0]?.raw ?? Buffer.alloc(0))).toBe(true);
    expect((await jwt.fetch({ audience: ["orders"] })).token).toBe(token);

    await ca.revoke({ identity: WEB, reason: "test" }, "test");
    const codes = () => [codeOf(() => x509.svid), codeOf(() => jwt.bundles)];
    await until("the withdrawal", () => codes().every((code) => code === "ERR_SPIFFE_NO_IDENTITY"));
    await expect(jwt.fetch({ audience: ["orders"] })).rejects.toMatchObject({ code: "ERR_SPIFFE_NO_IDENTITY" });
  });

  it("pushes the identity of a workload that is registered later to a program that already waits for it", async () => {
    await joinedAgent();
    const { workload } = socketPaths(join(folder, "run"), { namespace: "shop", name: "late" });
    const opening = X509Source.open({ address: `unix://${workload}`, backoffMs: () => 20 });
    await publish("/orders", NEW_WORKLOAD);
    const source = await opening;
    sources.push(source);
    expect(`${source.svid.id}`).toBe("spiffe://shop.example/shop/late");
  });

  it("obtains no identity that its node may not run; the refusal is in the ledger", async () => {
    const { agent } = await joinedAgent();
    expect(agent.status().workloads.map(({ workload }) => workload)).not.toContain("shop/elsewhere");
    const files = new StateDir(join(folder, "agent"));
    const trust = new TrustStore(files);
    trust.restore();
    if (trust.own === undefined) throw new Error("the agent keeps no trust bundle");
    const credentialsOnDisk = { trust: trust.own, svid: readStoredSvid(files, "agent.json") };
    const client = new AuthorityClient({ url, credentials: credentialsOnDisk, now: () => new Date() });
    const requests = [{ identity: ELSEWHERE, csr: certificateRequest(newPrivateKey()).toString("base64url") }];
    await expect(client.svids({ requests }, new AbortController().signal)).rejects.toMatchObject({ httpStatus: 403 });
    client.close();
    const { entries } = await ca.ledger({ identity: ELSEWHERE });
    expect(entries).toMatchObject([{ kind: "refusal", node: NODE, identity: ELSEWHERE }]);
  });

  it("refuses a second agent on one run folder", async () => {
    await joinedAgent();
    const { token } = await ca.createJoinToken("other");
    await expect(startAgent({ joinToken: token, stateDir: join(folder, "other") })).rejects.toMatchObject({
      code: "ERR_AGENT_RUN_DIR_IN_USE",
    });
    expect(await checks()("/orders")).toBe("allowed");
  });

  it("refuses a used join token on another host", async () => {
    const { token } = await ca.createJoinToken(NODE);
    await startAgent({ joinToken: token });
    const second = startAgent({ joinToken: token, stateDir: join(folder, "other"), runDir: join(folder, "run-other") });
    await expect(second).rejects.toMatchObject({ code: "ERR_AGENT_JOIN_TOKEN" });
  });

  it("removes its sockets when it stops", async () => {
    const { agent } = await joinedAgent();
    await agent.stop();
    expect(readdirSync(join(folder, "run"))).toEqual([]);
  });

  it("refuses the older bundle of an authority that was restored from a backup, says so, and keeps the one in force", async () => {
    const { agent, lines } = await joinedAgent({ metrics: { host: "127.0.0.1", port: 0 } });
    const check = checks();
    await closeAuthority();
    for (const name of ["authority.db", "keys"])
      cpSync(join(folder, name), join(folder, "backup", name), { recursive: true });
    await openAuthority();
    await publish("/newer");
    await until("the newer policy decides", async () => (await check("/newer")) === "allowed", 30_000);
    await closeAuthority();
    for (const name of readdirSync(folder)) if (name.startsWith("authority.db")) rmSync(join(folder, name));
    for (const name of ["authority.db", "keys"])
      cpSync(join(folder, "backup", name), join(folder, name), { recursive: true });
    await openAuthority();
    await until("the refusal", () => agent.status().policy.refused?.reason === "older-revision", 30_000);
    expect([await check("/newer"), await check("/orders")]).toEqual(["allowed", "403 no-rule-matched"]);
    expect(lines.some(({ level, fields }) => level === "error" && fields.reason === "older-revision")).toBe(true);
    const text = await (await fetch(`${agent.metricsUrl}/metrics`)).text();
    expect(text).toMatch(/^cellwall_refusals_total\{what="bundle",reason="older-revision"\} [1-9]/m);
  });
});

describe("an agent without its authority", () => {
  it("goes on deciding when the authority is killed, says so, and catches up when it is back", async () => {
    const { agent } = await joinedAgent();
    const check = checks();
    await closeAuthority();
    await until("the agent notices", () => !agent.status().authority.reachable);
    expect([await check("/orders"), await check("/other")]).toEqual(["allowed", "403 no-rule-matched"]);
    expect(agent.ready()).toBe(true);
    await openAuthority();
    await publish("/other");
    await until("the new policy decides", async () => (await check("/other")) === "allowed", 30_000);
    expect(agent.status().authority.reachable).toBe(true);
  });

  it("restarts and decides from its disk, and says so", async () => {
    const first = await joinedAgent();
    await first.agent.stop();
    await closeAuthority();
    const startedMs = performance.now();
    const second = await startAgent();
    expect(performance.now() - startedMs).toBeLessThan(2_500);
    expect(second.agent.ready()).toBe(true);
    expect(await checks()("/orders")).toBe("allowed");
    expect(second.agent.status()).toMatchObject({ authority: { reachable: false }, policy: { source: "disk" } });
    expect(second.lines.some(({ level, message }) => level === "warn" && message.includes("from its disk"))).toBe(true);
    expect(second.agent.status().workloads.map(({ svid }) => svid.state)).toEqual(["present", "present"]);
  });

  it("denies with 503 once the bundle on disk is past `maxStale`", async () => {
    const first = await joinedAgent();
    await first.agent.stop();
    await closeAuthority();
    const expiresAt = new Date(first.agent.status().policy.expiresAt ?? 0).getTime();
    const aheadMs = expiresAt + 60_001 - Date.now();
    const second = await startAgent({ maxStaleMs: 60_000, clock: () => new Date(Date.now() + aheadMs) });
    expect(await checks()("/orders")).toBe("503 stale-policy");
    expect(second.agent.ready()).toBe(false);
    expect(second.agent.status()).toMatchObject({
      policy: { state: "stale" },
      waitingFor: expect.arrayContaining(["a valid policy bundle"]),
    });
    await second.agent.stop();
    const setBack = await startAgent({ maxStaleMs: 60_000 });
    expect(await checks()("/orders")).toBe("503 stale-policy");
    expect(setBack.agent.status().clock.wallBehindSeconds).toBeGreaterThan(60);
  });

  it("refuses, from its first answer, an identity that was revoked after the disk image was taken", async () => {
    const first = await joinedAgent();
    cpSync(join(folder, "agent"), join(folder, "image"), { recursive: true });
    await ca.revoke({ identity: WEB, reason: "stolen" }, "test");
    await first.agent.stop();
    await startAgent({ stateDir: join(folder, "image") });
    expect(await checks()("/orders")).toBe("403 revoked-identity");
  });

  it("waits for an authority that is not there yet, with its probes up, and joins when it comes", async () => {
    const { token } = await ca.createJoinToken(NODE);
    await closeAuthority();
    const { agent } = await startAgent({ joinToken: token, metrics: { host: "127.0.0.1", port: 0 } });
    expect(agent.ready()).toBe(false);
    expect((await fetch(`${agent.metricsUrl}/healthz`)).status).toBe(200);
    expect((await fetch(`${agent.metricsUrl}/readyz`)).status).toBe(503);
    expect(agent.status()).toMatchObject({ enrolment: { state: "joining" } });
    await openAuthority();
    await until("the agent is ready", () => agent.ready(), 30_000);
    expect(await checks()("/orders")).toBe("allowed");
  });

  it("refuses to start with nothing to start from", async () => {
    await expect(startAgent()).rejects.toMatchObject({ code: "ERR_AGENT_NOT_ENROLLED" });
    expect(readdirSync(join(folder, "run"))).toEqual([]);
  });
});
