import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { exportJWK, SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import type { RunningEnvoy } from "../../envoy/index.ts";
import { systemTimers } from "../../ext-authz/agent/timers.ts";
import { createTestCa, type TestCertificate } from "../../spiffe/testing/index.ts";
import { type AgentWorld, startAgentWorld } from "../support/agent-world.ts";
import { http1App, type TestApp } from "../support/apps.ts";
import { freePorts } from "../support/free-ports.ts";
import { meshDocuments } from "../support/mesh-documents.ts";
import { inTheClear, overTls, requestBytes } from "../support/straight.ts";
import { until } from "../support/until.ts";

// A workload's public listeners with the real agent: TLS from files, plaintext behind a balancer, upgrades, tokens.

interface Places {
  readonly tls: number;
  readonly plain: number;
  readonly keys: number;
  readonly folder: string;
}

const ISSUERS = { corp: "https://corp.example", partner: "https://partner.example" } as const;
type Issuer = keyof typeof ISSUERS;

const NOBODY = { anyone: "anonymous" };
const policies = ({ tls, plain, keys, folder }: Places): string =>
  meshDocuments({
    trustDomain: "shop.example",
    folder,
    mesh: {
      jwtProviders: {
        corp: { issuer: ISSUERS.corp, audiences: ["shop"], jwks: { file: `${folder}/keys.json` } },
        partner: { issuer: ISSUERS.partner, audiences: ["shop"], jwks: { url: `https://localhost:${keys}/keys` } },
      },
    },
    nodes: { "host-7": {} },
    workloads: {
      door: {
        runsOn: { node: "host-7" },
        address: "127.0.0.1",
        listens: [
          { port: tls, clients: "public", serverCertificate: `${folder}/tls`, upgrades: ["websocket"] },
          { port: plain, clients: "public" },
        ],
      },
    },
    policies: {
      door: {
        allow: {
          "everybody-browses": { from: NOBODY, requests: ["GET /catalogue/**", "websocket /live"] },
          "staff-edits": {
            from: NOBODY,
            requests: ["GET /staff/**"],
            jwt: { provider: "corp", scopes: ["shop:edit"], claims: { groups: { has: "staff" } } },
          },
          "partners-order": { from: NOBODY, requests: ["GET /partner/**"], jwt: { provider: "partner" } },
        },
      },
    },
  });

/** RSA, which most issuers sign with; a key of another issuer under the same id is a forgery. */
const keys = {
  corp: generateKeyPairSync("rsa", { modulusLength: 2048 }),
  partner: generateKeyPairSync("rsa", { modulusLength: 2048 }),
};
const jwks = async (issuer: Issuer): Promise<string> =>
  JSON.stringify({ keys: [{ ...(await exportJWK(keys[issuer].publicKey)), alg: "RS256", kid: "k1", use: "sig" }] });

interface TokenChange {
  readonly key?: Issuer;
  readonly issuer?: string;
  readonly audience?: string;
  readonly expires?: string | undefined;
  readonly scope?: string;
  readonly groups?: readonly string[];
}

function token(of: Issuer, change: TokenChange = {}): Promise<string> {
  const {
    audience = "shop",
    groups = ["staff"],
    issuer = ISSUERS[of],
    key = of,
    scope = "shop:read shop:edit",
  } = change;
  const unsigned = new SignJWT({ scope, groups: [...groups] })
    .setProtectedHeader({ alg: "RS256", kid: "k1" })
    .setIssuer(issuer)
    .setAudience(audience);
  if (!("expires" in change)) unsigned.setExpirationTime("5m");
  else if (change.expires !== undefined) unsigned.setExpirationTime(change.expires);
  return unsigned.sign(keys[key].privateKey);
}

/** A token that says of itself that it needs no signature. */
async function unsignedToken(): Promise<string> {
  const [, payload] = (await token("corp")).split(".");
  return `${Buffer.from('{"alg":"none","kid":"k1"}').toString("base64url")}.${payload}.`;
}

describe("a front door", () => {
  const web = createTestCa({ trustDomain: "web.example" });
  const issue = (serial: string): TestCertificate =>
    web.issue({ uris: [], dns: ["localhost"], serial, sanCritical: true });
  let world: AgentWorld;
  let app: TestApp;
  let envoy: RunningEnvoy;
  let keyServer: Server;
  let keyServerAnswers = false;
  let places: Places;

  beforeAll(async () => {
    const [tls = 0, plain = 0, keysPort = 0] = await freePorts(3);
    const localKeys = await jwks("corp");
    const remoteKeys = await jwks("partner");
    world = await startAgentWorld({
      trustDomain: "shop.example",
      node: "host-7",
      // The agent looks for changed files every five seconds; here it does so at once.
      timers: { ...systemTimers, sleep: (ms, signal) => systemTimers.sleep(Math.min(ms, 100), signal) },
      policies: (folder) => {
        places = { tls, plain, keys: keysPort, folder };
        mkdirSync(join(folder, "tls"));
        putCertificate(issue("a1"));
        writeFileSync(join(folder, "keys.json"), localKeys);
        writeFileSync(join(folder, "roots.pem"), web.rootPem);
        return policies(places);
      },
    });
    app = await http1App(join(world.folder, "app.sock"));
    const served = issue("b1");
    keyServer = createServer({ cert: served.chainPem, key: served.keyPem }, (_request, response) => {
      response.writeHead(keyServerAnswers ? 200 : 503).end(keyServerAnswers ? remoteKeys : "");
    });
    await new Promise<void>((done) => keyServer.listen(keysPort, "127.0.0.1", done));
    envoy = await world.startSidecar("door", { systemRoots: join(world.folder, "roots.pem") });
  });
  afterAll(async () => {
    await envoy?.stop();
    keyServer?.closeAllConnections();
    await new Promise((done) => (keyServer === undefined ? done(undefined) : keyServer.close(done)));
    await app?.close();
    await world?.stop();
  });

  function putCertificate({ chainPem, keyPem }: Pick<TestCertificate, "chainPem" | "keyPem">): void {
    for (const [name, text] of [
      ["tls.crt", chainPem],
      ["tls.key", keyPem],
    ] as const) {
      writeFileSync(join(places.folder, "tls", `${name}.new`), text);
      renameSync(join(places.folder, "tls", `${name}.new`), join(places.folder, "tls", name));
    }
  }
  const secure = (path: string, headers: readonly string[] = []) =>
    overTls({ host: "127.0.0.1", port: places.tls, from: "127.0.0.1" }, requestBytes(path, { headers }));
  const plain = (path: string, headers: readonly string[] = []) =>
    inTheClear({ host: "127.0.0.1", port: places.plain, from: "127.0.0.1" }, requestBytes(path, { headers }));
  const withToken = async (path: string, made: Promise<string>) => {
    const mark = world.records.length;
    const answer = await secure(path, [`authorization: Bearer ${await made}`]);
    return { status: answer.status, text: answer.text, decision: await world.decision(mark) };
  };
  /** Serial of the certificate that the TLS listener shows. */
  const shownSerial = (): Promise<string> =>
    new Promise((done, reject) => {
      const options = { host: "127.0.0.1", port: places.tls, servername: "localhost", ca: web.rootPem };
      const socket = connectTls(options, () => {
        done(socket.getPeerCertificate().serialNumber.toLowerCase());
        socket.destroy();
      });
      socket.once("error", reject);
    });

  it("takes everybody over TLS as nobody, whatever they claim, and only where a rule lets nobody in", async () => {
    const mark = world.records.length;
    const claims = ["x-cellwall-caller: spiffe://shop.example/shop/door", "x-forwarded-client-cert: URI=x"];
    expect((await secure("/catalogue/1", claims)).status).toBe(200);
    const record = await world.decision(mark);
    expect(record).toMatchObject({ listenerKind: "edge", listenerPort: places.tls, peerAddress: "127.0.0.1" });
    expect([record.caller, app.requests.at(-1)?.headers["x-cellwall-caller"]]).toEqual([undefined, undefined]);
    expect((await secure("/admin")).status).toBe(403);
    expect(await world.decision(mark, ({ path }) => path === "/admin")).toMatchObject({ reason: "no-rule-matched" });
  });

  it("shows the certificate of its files, and a new one without a restart; a half-replaced pair changes nothing", async () => {
    expect(await shownSerial()).toBe("a1");
    putCertificate({ chainPem: issue("a2").chainPem, keyPem: issue("a3").keyPem });
    const problems = () => world.agent.status().workloads[0]?.publicCertificates ?? [];
    await until(problems, (found) => found.some((one) => one.includes("not the key")), { what: "the problem" });
    expect(await shownSerial()).toBe("a1");
    putCertificate(issue("a4"));
    await until(shownSerial, (serial) => serial === "a4", { what: "the new certificate" });
    expect(problems()).toEqual([]);
  });

  it("stands behind a balancer in the clear: the app sees the client's address and scheme as the balancer gave them", async () => {
    const mark = world.records.length;
    const forwarded = ["x-forwarded-for: 203.0.113.9", "x-forwarded-proto: https", "forwarded: for=1.2.3.4"];
    expect((await plain("/catalogue/1", forwarded)).status).toBe(200);
    const headers = app.requests.at(-1)?.headers;
    expect(headers?.["x-forwarded-for"]).toMatch(/^203\.0\.113\.9,/);
    expect([headers?.["x-forwarded-proto"], headers?.forwarded]).toEqual(["https", undefined]);
    // A rule's `addresses` see the connection: the balancer.
    expect(await world.decision(mark)).toMatchObject({ listenerPort: places.plain, peerAddress: "127.0.0.1" });
  });

  it("carries an upgrade where the listener and a line name it, and nowhere else", async () => {
    const upgrade = [
      "connection: Upgrade",
      "upgrade: websocket",
      "sec-websocket-version: 13",
      "sec-websocket-key: eA==",
    ];
    const other = ["connection: Upgrade", "upgrade: tunnel"];
    const [mark, before] = [world.records.length, app.requests.length];
    const [undeclared, mismatched, foreign] = await Promise.all([
      plain("/live", upgrade),
      secure("/catalogue/1", upgrade),
      secure("/live", other),
    ]);
    expect([undeclared.status, mismatched.status, foreign.status]).toEqual([403, 403, 403]);
    expect(app.requests.length).toBe(before);
    const { path, reason } = await world.decision(mark);
    expect([path, reason]).toEqual(["/catalogue/1", "no-rule-matched"]);
    const socket = new WebSocket(`wss://127.0.0.1:${places.tls}/live`, { rejectUnauthorized: false });
    await once(socket, "open");
    socket.send("hello");
    const [answer] = await once(socket, "message");
    socket.terminate();
    expect(String(answer)).toBe("echo hello");
  });

  it("lets a token of local keys in for what its scopes and claims say", async () => {
    const good = await withToken("/staff/1", token("corp"));
    expect(good.status).toBe(200);
    expect(good.decision.line).toBe("shop/door/staff-edits#GET /staff/**");
    const lacking = [token("corp", { scope: "shop:read" }), token("corp", { groups: ["guests"] })];
    for (const made of lacking) {
      const { status, decision } = await withToken("/staff/1", made);
      expect([status, decision.reason]).toEqual([403, "no-rule-matched"]);
    }
  });

  it.each<[string, () => Promise<string>]>([
    ["of another issuer", () => token("corp", { issuer: "https://evil.example" })],
    ["for another audience", () => token("corp", { audience: "bank" })],
    ["that has run out", () => token("corp", { expires: "-5m" })],
    ["that never runs out", () => token("corp", { expires: undefined })],
    ["of another key", () => token("corp", { key: "partner" })],
    ["of another provider", () => token("partner")],
    ["without a signature, alg none", unsignedToken],
    ["that is none", async () => "x.y.z"],
  ])("answers a token %s like no token: 401 with a challenge", async (_what, make) => {
    const before = app.requests.length;
    const { status, text, decision } = await withToken("/staff/1", make());
    expect([status, decision.reason, app.requests.length]).toEqual([401, "no-rule-matched", before]);
    expect(text).toMatch(/www-authenticate: Bearer/i);
  });

  it("answers no token, and two, with 401", async () => {
    expect((await secure("/staff/1")).status).toBe(401);
    const good = await token("corp");
    const two = [`authorization: Bearer ${good}`, `authorization: Bearer ${good}`];
    expect((await secure("/staff/1", two)).status).toBe(401);
    expect((await secure(`/staff/1?access_token=${good}`)).status).toBe(401);
  });

  it("answers 503 while a provider's keys cannot be had, and lets its tokens in when they can", async () => {
    const { status, decision } = await withToken("/partner/1", token("partner"));
    expect([status, decision.reason]).toEqual([503, "cannot-evaluate"]);
    expect((await withToken("/staff/1", token("corp"))).status).toBe(200);
    keyServerAnswers = true;
    await until(
      () => withToken("/partner/1", token("partner")),
      (answer) => answer.status === 200,
      { what: "the partner's token", deadlineMs: 20_000 },
    );
    expect((await withToken("/partner/1", token("partner", { key: "corp" }))).status).toBe(401);
    expect((await secure("/partner/1")).status).toBe(401);
  });
});
