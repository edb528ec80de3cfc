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
import type { NodeAttestationOptions } from "./credential.ts";
import { Enrolment } from "./enrolment.ts";
import { StateDir } from "./state-dir.ts";
import { systemTimers } from "./timers.ts";
import { TrustStore } from "./trust-store.ts";

const mesh = testHierarchy("shop.example");
const tokenFor = (fingerprint: string): string => `cwj1.0123456789abcdef.${"s".repeat(43)}.${fingerprint}`;
const token = tokenFor(publicKeyFingerprint(mesh.root.root));
const otherToken = (shown: typeof mesh): string =>
  tokenFor(publicKeyFingerprint(shown.root.root)).replace("0123456789abcdef", "fedcba9876543210");

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

function enrolment(
  url: string,
  joinToken: string | undefined,
  clockMs = Date.now(),
  attestation?: NodeAttestationOptions,
) {
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
    enrolment: new Enrolment({ url, joinToken, attestation, files, trust, clock, timers: systemTimers, log }),
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
    for (const file of ["agent.json", "joined.json"]) rmSync(join(folder, file));
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

  it("refuses a token of another mesh than the state folder's, and does not use it up", async () => {
    const server = await authority();
    await enrolment(server.url, token).enrolment.begin(stop.signal);
    const bank = testHierarchy("bank.example");
    const elsewhere = await authority({}, bank);
    const other = enrolment(elsewhere.url, otherToken(bank));
    await expect(other.enrolment.begin(stop.signal)).rejects.toMatchObject({ code: "ERR_AGENT_OTHER_MESH" });
    expect(elsewhere.requests).toEqual([]);
    const again = enrolment(server.url, undefined);
    await again.enrolment.begin(stop.signal);
    expect(again.enrolment.state.kind).toBe("enrolled");
  });

  it("comes back by a new token of the same mesh whose root was replaced while it was away, in force or expired", async () => {
    const soonOver: Routes = {
      "POST /v1/enrol": ({ body }) => ({
        body: enrolAnswer(mesh.intermediate, mesh.root, csrOf(body), "host-7", 1_200_000),
      }),
    };
    for (const laterMs of [0, 1_800_000]) {
      const server = await authority(soonOver);
      await enrolment(server.url, token).enrolment.begin(stop.signal);
      await server.close();
      const now = testHierarchy("shop.example");
      const answer: Routes = {
        "POST /v1/enrol": ({ body }) => ({
          body: enrolAnswer(now.intermediate, now.root, csrOf(body), "host-7", laterMs + 3_600_000),
        }),
      };
      const replaced = await authority(answer, now);
      const stale = enrolment(replaced.url, token, Date.now() + laterMs);
      await stale.enrolment.begin(stop.signal);
      expect(replaced.requests).toEqual([]);
      const agent = enrolment(replaced.url, otherToken(now), Date.now() + laterMs);
      await agent.enrolment.begin(stop.signal);
      expect(agent.enrolment.state).toMatchObject({ kind: "enrolled", node: "host-7" });
      expect(agent.trust.own?.x509Authorities.map((one) => publicKeyFingerprint(one))).toEqual([
        publicKeyFingerprint(now.root.root),
      ]);
      expect(agent.log.lines.map(({ message }) => message)).toContain(
        "the authority's root was replaced while this agent was away",
      );
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("goes by a new fingerprint for attestation once, and never again by one that it has used", async () => {
    const routesOf = (shown: typeof mesh): Routes => ({
      "POST /v1/attest": ({ body }) => ({
        body: enrolAnswer(shown.intermediate, shown.root, csrOf(body), "host-7", 1_200_000),
      }),
    });
    const attestation = (shown: typeof mesh) => ({
      token: () => "platform",
      rootFingerprint: publicKeyFingerprint(shown.root.root),
    });
    const server = await authority(routesOf(mesh));
    await enrolment(server.url, undefined, Date.now(), attestation(mesh)).enrolment.begin(stop.signal);
    const now = testHierarchy("shop.example");
    const replaced = await authority(routesOf(now), now);
    const agent = enrolment(replaced.url, undefined, Date.now(), attestation(now));
    await agent.enrolment.begin(stop.signal);
    expect(agent.trust.own?.x509Authorities.map((one) => publicKeyFingerprint(one))).toEqual([
      publicKeyFingerprint(now.root.root),
    ]);
    // The first root's key in other hands: its fingerprint stands in the command still, and the certificate has expired.
    const later = enrolment(server.url, undefined, Date.now() + 1_800_000, attestation(mesh));
    await later.enrolment.begin(stop.signal);
    expect(later.enrolment.client).toBeUndefined();
    expect(server.requests).toHaveLength(1);
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

describe("an agent whose certificate has expired", () => {
  const MINUTE_MS = 60_000;
  const later = (): number => Date.now() + 30 * MINUTE_MS;

  /** An agent that joined with `token`, whose certificate ends in ten minutes. */
  async function joined(routes: Routes = {}): Promise<FakeAuthority> {
    const server = await authority({ "POST /v1/enrol": issued(10 * MINUTE_MS), ...routes });
    await enrolment(server.url, token).enrolment.begin(stop.signal);
    return server;
  }

  it("does not send the join token again that it has used, and says what to do", async () => {
    const server = await joined();
    const agent = enrolment(server.url, token, later());
    await agent.enrolment.begin(stop.signal);
    expect(agent.enrolment.state.kind).toBe("expired");
    expect(agent.log.lines.at(-1)?.message).toContain("make a join token for its node");
    expect(server.requests).toHaveLength(1);
  });

  it("comes back by a new join token", async () => {
    let lifeMs = 10 * MINUTE_MS;
    const server = await joined({ "POST /v1/enrol": (request) => issued(lifeMs)(request) });
    lifeMs = 50 * MINUTE_MS;
    const fresh = token.replace("0123456789abcdef", "fedcba9876543210");
    const agent = enrolment(server.url, fresh, later());
    await agent.enrolment.begin(stop.signal);
    expect(agent.enrolment.state).toMatchObject({ kind: "enrolled", node: "host-7" });
    expect(server.requests.map(({ body }) => body)).toMatchObject([{ token }, { token: fresh }]);
  });

  it("comes back by attestation, with the token of the moment and the anchors that it followed", async () => {
    let refusals = 2;
    const server = await joined({
      "POST /v1/attest": (request) => (refusals-- > 0 ? REFUSED : issued(50 * MINUTE_MS)(request)),
    });
    let tokens = 0;
    const attestation = { token: () => `jwt-${++tokens}`, rootFingerprint: "0".repeat(64), node: "host-7" };
    const agent = enrolment(server.url, undefined, later(), attestation);
    await agent.enrolment.begin(stop.signal);
    expect(agent.enrolment.state).toMatchObject({ kind: "joining", problem: expect.stringContaining("nearest is") });
    const keeping = agent.enrolment.keep(() => undefined, stop.signal);
    await until("the agent is back", () => agent.enrolment.client !== undefined);
    stop.abort();
    await keeping;
    const sent = server.requests.filter(({ path }) => path === "/v1/attest").map(({ body }) => body);
    expect(sent).toMatchObject(["jwt-1", "jwt-2", "jwt-3"].map((each) => ({ token: each, node: "host-7" })));
  });
});

describe("attesting", () => {
  const fingerprint = publicKeyFingerprint(mesh.root.root);

  it("sends the platform's token to the authority of the fingerprint, and to no other", async () => {
    const server = await authority({ "POST /v1/attest": issued() });
    const attestation = { token: async () => " jwt\n", rootFingerprint: fingerprint };
    const agent = enrolment(server.url, undefined, Date.now(), attestation);
    await agent.enrolment.begin(stop.signal);
    expect(agent.enrolment.state).toMatchObject({ kind: "enrolled", node: "host-7" });
    expect(server.requests[0]).toMatchObject({ peer: undefined, body: { token: "jwt" } });
    const other = await authority({ "POST /v1/attest": issued() }, testHierarchy("shop.example"));
    rmSync(folder, { recursive: true });
    await expect(
      enrolment(other.url, undefined, Date.now(), attestation).enrolment.begin(stop.signal),
    ).rejects.toMatchObject({ code: "ERR_AGENT_AUTHORITY_UNTRUSTED" });
    expect(other.requests).toEqual([]);
  });

  it("ends the first start with the authority's words, and takes no fingerprint that is none", async () => {
    const server = await authority({ "POST /v1/attest": () => REFUSED });
    const attestation = { token: () => "jwt", rootFingerprint: fingerprint };
    const agent = enrolment(server.url, undefined, Date.now(), attestation);
    await expect(agent.enrolment.begin(stop.signal)).rejects.toMatchObject({
      code: "ERR_AGENT_ATTESTATION",
      message: expect.stringContaining("nearest is `host-7`"),
    });
    expect(() => enrolment(server.url, undefined, Date.now(), { ...attestation, rootFingerprint: "x" })).toThrow(
      expect.objectContaining({ code: "ERR_AGENT_ATTESTATION" }),
    );
  });
});

const REFUSED = {
  status: 401,
  body: { error: { code: "ERR_AUTHORITY_ATTESTATION", message: "no node takes it; nearest is `host-7`" } },
};

function issued(lifeMs?: number): NonNullable<Routes[string]> {
  return ({ body }) => ({ body: enrolAnswer(mesh.intermediate, mesh.root, csrOf(body), "host-7", lifeMs) });
}

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
