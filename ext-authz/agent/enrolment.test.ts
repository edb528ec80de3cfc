import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { publicKeyFingerprint } from "../../spiffe/index.ts";
import { MonotonicClock } from "../monotonic-clock.ts";
import { capturingLogger, until } from "../testing/capture.ts";
import {
  enrolAnswer,
  type FakeAuthority,
  type Routes,
  startFakeAuthority,
  testHierarchy,
} from "../testing/fake-authority.ts";
import { Enrolment } from "./enrolment.ts";
import { StateDir } from "./state-dir.ts";
import { systemTimers } from "./timers.ts";
import { TrustStore } from "./trust-store.ts";

const mesh = testHierarchy("shop.example");
const tokenFor = (fingerprint: string): string => `cwj1.0123456789abcdef.${"s".repeat(43)}.${fingerprint}`;
const token = tokenFor(publicKeyFingerprint(mesh.root.root));

let folder = "";
let stop = new AbortController();
const servers: FakeAuthority[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "cw-"));
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  for (const server of servers.splice(0)) await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const csrOf = (body: unknown): string =>
  typeof body === "object" && body !== null && "csr" in body && typeof body.csr === "string" ? body.csr : "";

async function authority(routes: Routes = {}, shown = mesh): Promise<FakeAuthority> {
  const server = await startFakeAuthority({
    chain: shown.shown,
    privateKey: shown.authority.privateKey,
    routes: {
      "POST /v1/enrol": ({ body }) => ({ body: enrolAnswer(mesh.intermediate, mesh.root, csrOf(body), "host-7") }),
      ...routes,
    },
  });
  servers.push(server);
  return server;
}

function enrolment(url: string, joinToken: string | undefined, clockMs = Date.now()) {
  const files = new StateDir(folder);
  const trust = new TrustStore(files);
  trust.restore();
  const startedMs = performance.now();
  const clock = new MonotonicClock({
    wall: () => new Date(clockMs + performance.now() - startedMs),
    monotonicMs: () => performance.now(),
  });
  const log = capturingLogger();
  return {
    enrolment: new Enrolment({ url, joinToken, files, trust, clock, timers: systemTimers, log }),
    trust,
    files,
    log,
  };
}

describe("joining", () => {
  it("sends the token and a request for a key of its own, and keeps both out of others' reach", async () => {
    const server = await authority();
    const agent = enrolment(server.url, token);
    await agent.enrolment.begin(stop.signal);
    expect(agent.enrolment.state).toMatchObject({ kind: "enrolled", node: "host-7" });
    expect(server.requests.map((request) => request.path)).toEqual(["/v1/enrol"]);
    expect(server.requests[0]).toMatchObject({ peer: undefined, body: { token } });
    expect(statSync(join(folder, "agent.json")).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(folder, "agent.json"), "utf8")).toContain("PRIVATE KEY");
  });

  it("takes up the kept identity at the next start, and does not use the token again", async () => {
    const server = await authority();
    await enrolment(server.url, token).enrolment.begin(stop.signal);
    const again = enrolment(server.url, token);
    await again.enrolment.begin(stop.signal);
    const withoutToken = enrolment(server.url, undefined);
    await withoutToken.enrolment.begin(stop.signal);
    expect([again, withoutToken].map((each) => each.enrolment.state.kind)).toEqual(["enrolled", "enrolled"]);
    expect(server.requests).toHaveLength(1);
  });

  it("never sends the token to a server of another root", async () => {
    const server = await authority({}, testHierarchy("shop.example"));
    await expect(enrolment(server.url, token).enrolment.begin(stop.signal)).rejects.toMatchObject({
      code: "ERR_AGENT_AUTHORITY_UNTRUSTED",
    });
    expect(server.requests).toEqual([]);
  });

  it("never sends the token to another identity under the right root", async () => {
    const leaf = mesh.intermediate.issue({ uris: ["spiffe://shop.example/shop/intruder"] });
    const server = await startFakeAuthority({
      chain: [...leaf.chain, mesh.root.root],
      privateKey: leaf.privateKey,
      routes: {},
    });
    servers.push(server);
    await expect(enrolment(server.url, token).enrolment.begin(stop.signal)).rejects.toMatchObject({
      code: "ERR_AGENT_AUTHORITY_UNTRUSTED",
    });
    expect(server.requests).toEqual([]);
  });

  it("never sends the token to a server that shows the right root beside a chain of another", async () => {
    const other = testHierarchy("shop.example");
    const server = await startFakeAuthority({
      chain: [...other.authority.chain, mesh.root.root],
      privateKey: other.authority.privateKey,
      routes: {},
    });
    servers.push(server);
    await expect(enrolment(server.url, token).enrolment.begin(stop.signal)).rejects.toMatchObject({
      code: "ERR_AGENT_AUTHORITY_UNTRUSTED",
    });
    expect(server.requests).toEqual([]);
  });

  it("refuses a trust bundle without the root that the token names", async () => {
    const other = testHierarchy("shop.example");
    const server = await authority({
      "POST /v1/enrol": ({ body }) => ({ body: enrolAnswer(other.intermediate, other.root, csrOf(body), "host-7") }),
    });
    await expect(enrolment(server.url, token).enrolment.begin(stop.signal)).rejects.toMatchObject({
      code: "ERR_AGENT_AUTHORITY_UNTRUSTED",
    });
  });

  it("refuses a certificate for another identity or key", async () => {
    const identity = await authority({
      "POST /v1/enrol": ({ body }) => ({
        body: { ...enrolAnswer(mesh.intermediate, mesh.root, csrOf(body), "host-8"), node: "host-7" },
      }),
    });
    await expect(enrolment(identity.url, token).enrolment.begin(stop.signal)).rejects.toMatchObject({
      code: "ERR_AGENT_CERTIFICATE",
    });
    let first = "";
    const key = await authority({
      "POST /v1/enrol": ({ body }) => {
        first = first === "" ? csrOf(body) : first;
        return { body: enrolAnswer(mesh.intermediate, mesh.root, first, "host-7") };
      },
    });
    await enrolment(key.url, token).enrolment.begin(stop.signal);
    rmSync(join(folder, "agent.json"));
    await expect(enrolment(key.url, token).enrolment.begin(stop.signal)).rejects.toMatchObject({
      code: "ERR_AGENT_CERTIFICATE",
    });
  });

  it("says what to do when the token is used, expired or not one", async () => {
    const body = { error: { code: "ERR_CA_TOKEN_USED", message: "the join token was used already" } };
    const server = await authority({ "POST /v1/enrol": () => ({ status: 403, body }) });
    const error = { code: "ERR_AGENT_JOIN_TOKEN", hint: expect.stringContaining("new one") };
    await expect(enrolment(server.url, token).enrolment.begin(stop.signal)).rejects.toMatchObject(error);
    expect(() => enrolment(server.url, "nonsense")).toThrow(expect.objectContaining({ code: "ERR_AGENT_JOIN_TOKEN" }));
  });

  it("refuses to start with neither identity nor token", async () => {
    await expect(enrolment("https://127.0.0.1:1", undefined).enrolment.begin(stop.signal)).rejects.toMatchObject({
      code: "ERR_AGENT_NOT_ENROLLED",
    });
  });

  it("refuses a token of another mesh than the state folder's", async () => {
    const server = await authority();
    await enrolment(server.url, token).enrolment.begin(stop.signal);
    const other = enrolment(server.url, tokenFor("0".repeat(64)));
    await expect(other.enrolment.begin(stop.signal)).rejects.toMatchObject({ code: "ERR_AGENT_OTHER_MESH" });
  });

  it("goes on trying while the authority does not answer", async () => {
    const server = await authority();
    await server.close();
    const agent = enrolment(server.url, token);
    await agent.enrolment.begin(stop.signal);
    expect(agent.enrolment.state).toMatchObject({ kind: "joining", problem: expect.stringContaining("no answer") });
    const { port } = new URL(server.url);
    const late = await startFakeAuthorityAt(Number(port));
    let enrolled = 0;
    const keeping = agent.enrolment.keep(() => enrolled++, stop.signal);
    await until("the agent has joined", () => enrolled === 1);
    stop.abort();
    await keeping;
    expect(late.requests.map((request) => request.path)).toContain("/v1/enrol");
  });
});

describe("renewal", () => {
  it("happens at half life with another key, over the certificate that is still good", async () => {
    const server = await authority({
      "POST /v1/enrol": ({ body }) => ({
        body: enrolAnswer(mesh.intermediate, mesh.root, csrOf(body), "host-7", 3_000),
      }),
      "POST /v1/renew": ({ body }) => ({ body: enrolAnswer(mesh.intermediate, mesh.root, csrOf(body), "host-7") }),
    });
    const agent = enrolment(server.url, token);
    await agent.enrolment.begin(stop.signal);
    const before = agent.enrolment.state;
    const keeping = agent.enrolment.keep(() => undefined, stop.signal);
    await until(
      "the certificate is renewed",
      () => agent.enrolment.state !== before && agent.enrolment.state.kind === "enrolled",
    );
    stop.abort();
    await keeping;
    const after = agent.enrolment.state;
    const renewal = server.requests.find((request) => request.path === "/v1/renew");
    expect(renewal?.peer).toBe("spiffe://shop.example/cellwall/agent/host-7");
    expect(
      before.kind === "enrolled" && after.kind === "enrolled" && after.svid.privateKey.equals(before.svid.privateKey),
    ).toBe(false);
    expect(enrolmentSerialOnDisk()).toBe(after.kind === "enrolled" ? after.svid.serial : "");
  });

  it("is tried again while the certificate lasts, and ends in `expired` when it does not", async () => {
    const server = await authority({
      "POST /v1/enrol": ({ body }) => ({
        body: enrolAnswer(mesh.intermediate, mesh.root, csrOf(body), "host-7", 3_000),
      }),
      "POST /v1/renew": () => ({
        status: 403,
        body: { error: { code: "ERR_CA_NODE", message: "the node is unknown" } },
      }),
    });
    await enrolment(server.url, token).enrolment.begin(stop.signal);
    const agent = enrolment(server.url, undefined);
    await agent.enrolment.begin(stop.signal);
    const keeping = agent.enrolment.keep(() => undefined, stop.signal);
    await until("the refusal is known", () => agent.enrolment.state.problem !== undefined);
    expect(agent.enrolment.state).toMatchObject({
      kind: "enrolled",
      problem: expect.stringContaining("the node is unknown"),
    });
    await until("the certificate has run out", () => agent.enrolment.state.kind === "expired");
    await keeping;
    expect(agent.enrolment.client).toBeUndefined();
  });

  it("does not take up an identity that has expired on disk", async () => {
    const server = await authority();
    await enrolment(server.url, token).enrolment.begin(stop.signal);
    const later = enrolment(server.url, undefined, Date.now() + 2 * 3_600_000);
    await later.enrolment.begin(stop.signal);
    expect(later.enrolment.state.kind).toBe("expired");
    expect(later.enrolment.client).toBeUndefined();
  });
});

function enrolmentSerialOnDisk(): unknown {
  const stored: unknown = JSON.parse(readFileSync(join(folder, "agent.json"), "utf8"));
  return typeof stored === "object" && stored !== null && "certificate" in stored
    ? (stored.certificate as { serial: string }).serial
    : undefined;
}

async function startFakeAuthorityAt(port: number): Promise<FakeAuthority> {
  const server = await startFakeAuthority({
    chain: mesh.shown,
    privateKey: mesh.authority.privateKey,
    port,
    routes: {
      "POST /v1/enrol": ({ body }) => ({ body: enrolAnswer(mesh.intermediate, mesh.root, csrOf(body), "host-7") }),
    },
  });
  servers.push(server);
  return server;
}
