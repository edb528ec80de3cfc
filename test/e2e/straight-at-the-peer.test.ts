import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LocalMesh, loopbackAddresses } from "../../cli/local-mesh/index.ts";
import { compareEnvoyVersions, locateEnvoy } from "../../envoy/index.ts";
import type { LogRecord } from "../../ext-authz/index.ts";
import { agentIdentity } from "../support/agent-client.ts";
import { http1App, type ReceivedRequest, type TestApp } from "../support/apps.ts";
import {
  type Forgery,
  ofAnotherAuthority,
  ofBrokenAuthority,
  ofOwnLeaf,
  ownIdentity,
} from "../support/forged-identities.ts";
import { meshDocuments, workloadDocument } from "../support/mesh-documents.ts";
import {
  inTheClear,
  type Outcome,
  overHttp2,
  overTls,
  requestBytes,
  type Shown,
  type Straight,
} from "../support/straight.ts";
import { startTestMesh } from "../support/test-mesh.ts";
import { until } from "../support/until.ts";

const MESH = meshDocuments({
  workloads: { web: {}, stranger: {}, orders: { listens: [{ port: 8443, upgrades: ["websocket"] }] } },
  policies: {
    orders: {
      allow: { "web-reads": { from: "web", requests: ["GET /orders/{id:int}", "GET /static/**"] } },
      deny: { "nobody-administers": { requests: ["ANY /static/admin/**"] } },
    },
  },
});

const GHOST = workloadDocument("ghost");

const { version } = await locateEnvoy();
const resolvesParameters = compareEnvoyVersions(version, { major: 1, minor: 39, patch: 0 }) >= 0;

const MARK = "x-attack";
const id = (path: string): string => `spiffe://test.example${path}`;

// Each attack comes from a loopback address of its own, which is how its records are told apart from the others'.
const TITLE = "straight at the peer's listener, past the own sidecar (Linux: many loopback addresses)";
describe.runIf(process.platform === "linux").concurrent(TITLE, () => {
  let mesh: LocalMesh;
  let app: TestApp;
  let sources: string[];
  let web: Shown;
  let stranger: Shown;
  /** Attacks, by their address, of which something was to arrive. */
  const answered = new Set<string>();

  beforeAll(async () => {
    mesh = await startTestMesh([
      { path: "mesh.yaml", text: MESH },
      { path: "zz-ghost.yaml", text: GHOST },
    ]);
    app = await http1App(mesh.appSocket("orders", 8443));
    sources = [...(await loopbackAddresses(200))];
    await mesh.startSidecars();
    web = await ownIdentity(mesh.sockets("web").workload);
    stranger = await ownIdentity(mesh.sockets("stranger").workload);
  });
  afterAll(async () => {
    await mesh?.stop();
    await app?.close();
  });

  const fromBroken = (forgery: Forgery): Shown =>
    ofBrokenAuthority(join(mesh.stateDir, "authority", "keys"), web, forgery);

  interface Seen {
    readonly outcome: Outcome;
    readonly record: LogRecord;
    readonly records: readonly LogRecord[];
    readonly arrived: readonly ReceivedRequest[];
  }

  /** Plays one attack and returns its outcome, its records, and what of it arrived at the app. */
  async function attack(
    shown: Shown | undefined,
    play: (to: Straight) => Promise<Outcome>,
    more: Pick<Straight, "maxVersion"> = {},
  ): Promise<Seen> {
    const from = sources.pop() ?? "";
    const mark = mesh.records.mark();
    const mine = (record: LogRecord): boolean => record.peerAddress === from;
    const outcome = await play({ host: mesh.address("orders"), port: 8443, from, shown, ...more });
    const record = await mesh.records.waitFor(mark, mine, 5_000);
    if (record === undefined) throw new Error(`no record of it; the peer got ${JSON.stringify(outcome)}`);
    const arrived = app.requests.filter(({ headers }) => headers[MARK] === from);
    if (record.kind === "decision" && record.verdict === "allow") answered.add(from);
    return { outcome, record, records: mesh.records.since(mark).filter(mine), arrived };
  }

  const marked = (to: Straight, target: string, options: Parameters<typeof requestBytes>[1] = {}): string =>
    requestBytes(target, { ...options, headers: [`${MARK}: ${to.from}`, ...(options.headers ?? [])] });
  const get = (target: string, options?: Parameters<typeof requestBytes>[1]) => (to: Straight) =>
    overTls(to, marked(to, target, options));

  it("is answered where the certificate is honest and a line allows the request, or these tests would prove nothing", async () => {
    const { outcome, record, arrived } = await attack(web, get("/static/page"));
    expect(record).toMatchObject({ kind: "decision", reason: "allowed-by-rule", caller: id("/shop/web") });
    expect(outcome.status).toBe(200);
    expect(arrived).toMatchObject([{ method: "GET", path: "/static/page" }]);
  });

  describe("connections that end in the handshake", () => {
    const refusals: readonly [string, string, () => Shown | undefined][] = [
      ["no client certificate", "no-client-certificate", () => undefined],
      [
        "another trust domain, of its own authority",
        "untrusted-certificate",
        () => ofAnotherAuthority("elsewhere.example", "spiffe://elsewhere.example/shop/web"),
      ],
      [
        "this trust domain, of an authority that it does not know",
        "untrusted-certificate",
        () => ofAnotherAuthority("test.example", id("/shop/web")),
      ],
      [
        "another trust domain, signed by this mesh's own authority",
        "untrusted-certificate",
        () => fromBroken({ uris: ["spiffe://elsewhere.example/shop/web"] }),
      ],
      [
        "a DNS name that is spelled like an identity",
        "untrusted-certificate",
        () => fromBroken({ dns: [id("/shop/web")] }),
      ],
      [
        "a web address first, and an identity after it",
        "untrusted-certificate",
        () => fromBroken({ uris: ["https://test.example/shop/web", id("/shop/web")] }),
      ],
      ["no name at all", "untrusted-certificate", () => fromBroken({})],
      [
        "a trust domain that begins like this one",
        "untrusted-certificate",
        () => fromBroken({ uris: ["spiffe://test.example.evil/shop/web"] }),
      ],
      [
        "a certificate that is expired",
        "untrusted-certificate",
        () => fromBroken({ uris: [id("/shop/web")], notAfter: new Date(Date.now() - 30_000) }),
      ],
      [
        "a leaf that is signed by a leaf",
        "untrusted-certificate",
        () => ofOwnLeaf(stranger, { uris: [id("/shop/web")] }),
      ],
    ];

    it.each(refusals)("refuses %s, and says so", async (_what, reason, shown) => {
      const { outcome, record, records, arrived } = await attack(shown(), get("/static/page"));
      expect(record).toMatchObject({ kind: "connection-refused", workload: "shop/orders", reason });
      expect(outcome.status).toBeUndefined();
      expect(outcome.text).toBe("");
      expect(records.some(({ kind }) => kind === "decision")).toBe(false);
      expect(arrived).toEqual([]);
    });

    it("refuses plaintext, and says so", async () => {
      const { outcome, record, arrived } = await attack(undefined, (to) => inTheClear(to, marked(to, "/static/page")));
      expect(record).toMatchObject({ kind: "connection-refused", reason: "plaintext" });
      expect(outcome).toMatchObject({ text: "" });
      expect(arrived).toEqual([]);
    });

    it("refuses TLS 1.2, and says so", async () => {
      const { outcome, record, arrived } = await attack(web, get("/static/page"), { maxVersion: "TLSv1.2" });
      expect(record).toMatchObject({ kind: "connection-refused", reason: "protocol" });
      expect(outcome).toMatchObject({ text: "" });
      expect(arrived).toEqual([]);
    });
  });

  describe("certificates of this mesh's own authority that are no caller's", () => {
    const denials: readonly [string, string, () => Shown | Promise<Shown>][] = [
      ["two identities", "malformed-identity", () => fromBroken({ uris: [id("/shop/web"), id("/shop/stranger")] })],
      ["one identity twice", "malformed-identity", () => fromBroken({ uris: [id("/shop/web"), id("/shop/web")] })],
      ["dots in its path", "malformed-identity", () => fromBroken({ uris: [id("/shop/../shop/web")] })],
      ["a slash at its end", "malformed-identity", () => fromBroken({ uris: [id("/shop/web/")] })],
      ["percent signs in its path", "malformed-identity", () => fromBroken({ uris: [id("/shop/%77eb")] })],
      ["a name that nobody registered", "unregistered-identity", () => fromBroken({ uris: [id("/shop/nobody")] })],
      ["another case", "unregistered-identity", () => fromBroken({ uris: [id("/shop/Web")] })],
      ["an agent's own identity", "system-identity", () => agentIdentity(join(mesh.stateDir, "agent"))],
      ["the policy signer's name", "system-identity", () => fromBroken({ uris: [id("/cellwall/policy-signer")] })],
    ];

    it.each(denials)("denies %s", async (_what, reason, shown) => {
      const { outcome, record, arrived } = await attack(await shown(), get("/static/page"));
      expect(record).toMatchObject({ kind: "decision", verdict: "deny", reason });
      expect(outcome.status).toBe(403);
      expect(arrived).toEqual([]);
    });

    it("denies a workload that was registered when it got its certificate and is not any more", async () => {
      const ghost = await ownIdentity(mesh.sockets("ghost").workload);
      expect((await attack(ghost, get("/static/page"))).record).toMatchObject({ reason: "no-rule-matched" });
      await mesh.edit("zz-ghost.yaml", () => "# gone\n");
      await until(
        () => mesh.mesh.authority.status().workloads?.map(({ name }) => name),
        (names) => names?.includes("ghost") === false,
      );
      const seen = await until(
        () => attack(ghost, get("/static/page")),
        ({ record }) => record.reason !== "no-rule-matched",
      );
      expect(seen.record).toMatchObject({ reason: "unregistered-identity", caller: id("/shop/ghost") });
      expect(seen.outcome.status).toBe(403);
      expect(seen.arrived).toEqual([]);
    });
  });

  describe("spellings of a path, from a caller that may read `/static/**` but for `/static/admin/**`", () => {
    const decided: readonly [string, string, string | undefined][] = [
      ["/static/../admin", "no-rule-matched", "/admin"],
      ["/orders/../admin", "no-rule-matched", "/admin"],
      ["/static/%2e%2e/admin", "no-rule-matched", "/admin"],
      ["/static/.%2E/admin", "no-rule-matched", "/admin"],
      // Below 1.39 Envoy leaves this path as it is.
      [
        "/static/..;x/admin",
        ...(resolvesParameters ? (["no-rule-matched", "/admin"] as const) : (["ambiguous-path", undefined] as const)),
      ],
      ["/static\\..\\admin", "no-rule-matched", "/admin"],
      ["//admin", "no-rule-matched", "/admin"],
      ["/static//admin", "denied-by-rule", "/static/admin"],
      ["/static/x/../admin", "denied-by-rule", "/static/admin"],
      ["/static/admin/", "denied-by-rule", "/static/admin/"],
      ["/static/%61dmin", "denied-by-rule", "/static/admin"],
      ["/static/%2e%2e;x/admin", "ambiguous-path", undefined],
      ["/static/a;x/b", "ambiguous-path", undefined],
      ["/static/..%3Bx/admin", "ambiguous-path", undefined],
      ["/static/%252e%252e/admin", "ambiguous-path", undefined],
      ["/static/%252fadmin", "ambiguous-path", undefined],
      ["/static/%zz", "ambiguous-path", undefined],
      ["/static/%09", "ambiguous-path", undefined],
      ["/static/%c0%ae%c0%ae/admin", "ambiguous-path", undefined],
      ["http://orders/admin", "no-rule-matched", "/admin"],
      ["http://orders/static/../admin", "no-rule-matched", "/admin"],
    ];

    it.each(decided)("denies %s as %s", async (target, reason, path) => {
      const { outcome, record, arrived } = await attack(web, get(target));
      expect(record).toMatchObject({ kind: "decision", verdict: "deny", reason });
      expect(record.kind === "decision" ? record.path : "").toBe(path);
      expect(outcome.status).toBe(403);
      expect(arrived).toEqual([]);
    });

    const refused: readonly [string, string][] = [
      ["an encoded slash", "/static/..%2Fadmin"],
      ["an encoded slash in lower case", "/static/..%2fadmin"],
      ["an encoded backslash", "/static/..%5Cadmin"],
      ["an encoded NUL", "/static/page%00"],
      ["a raw NUL", "/static/page\u0000"],
      ["a raw byte outside ASCII", "/static/pag\u00e9"],
      ["a fragment", "/static/page#/../../admin"],
    ];

    it.each(refused)("refuses %s in the sidecar itself", async (_what, target) => {
      const { outcome, record, arrived } = await attack(web, get(target));
      expect(record).toMatchObject({ kind: "request-refused", workload: "shop/orders", status: 400 });
      expect(outcome.status).toBe(400);
      expect(arrived).toEqual([]);
    });
  });

  describe("requests that are odd in other ways", () => {
    it.each([
      ["two Host headers", ["orders", "admin"]],
      ["user information in the Host header", ["web@orders"]],
    ])("denies %s", async (_what, host) => {
      const { outcome, record, arrived } = await attack(web, get("/static/page", { host }));
      expect(record).toMatchObject({ kind: "decision", verdict: "deny", reason: "ambiguous-host" });
      expect(outcome.status).toBe(403);
      expect(arrived).toEqual([]);
    });

    it.each([
      ["HTTP/1.0", "/static/page", { version: "1.0" }, 426],
      ["a method in lower case", "/static/page", { method: "get" }, 400],
      ["a method that nobody knows", "/static/page", { method: "FROB" }, 400],
      ["an underscore in a header's name", "/static/page", { headers: ["x_role: admin"] }, 400],
      [
        "a length together with chunks",
        "/static/page",
        { headers: ["content-length: 3", "transfer-encoding: chunked"] },
        400,
      ],
      ["a NUL in a header", "/static/page", { headers: ["x-role: a\u0000b"] }, 400],
      ["CONNECT", "orders:8443", { method: "CONNECT" }, undefined],
      [
        "an upgrade to something that is not enabled",
        "/static/page",
        { headers: ["connection: upgrade", "upgrade: tls/1.3"] },
        403,
      ],
    ] as const)("refuses %s in the sidecar itself", async (_what, target, options, status) => {
      const { outcome, record, arrived } = await attack(web, get(target, options));
      expect(record).toMatchObject({ kind: "request-refused", workload: "shop/orders" });
      expect(outcome.status ?? 0).toBeGreaterThanOrEqual(400);
      if (status !== undefined) expect(outcome.status).toBe(status);
      expect(arrived).toEqual([]);
    });

    it.each(["get", "Get", "FROB", "TRACE"])("denies the method %s over HTTP/2", async (method) => {
      const request = { ":method": method, ":path": "/static/page", ":authority": "orders", ":scheme": "https" };
      const { outcome, record, arrived } = await attack(web, (to) => overHttp2(to, { ...request, [MARK]: to.from }));
      expect(record).toMatchObject({ kind: "decision", verdict: "deny", reason: "no-rule-matched" });
      expect(outcome.status).toBe(403);
      expect(arrived).toEqual([]);
    });

    it("refuses CONNECT over HTTP/2 in the sidecar itself", async () => {
      const request = { ":method": "CONNECT", ":authority": "orders:8443" };
      const { record, arrived } = await attack(web, (to) => overHttp2(to, request));
      expect(record).toMatchObject({ kind: "request-refused" });
      expect(arrived).toEqual([]);
    });

    it.each([
      ["/admin", 403, "no-rule-matched"],
      ["/static/page", 200, "allowed-by-rule"],
    ])("takes an h2c upgrade of %s for an ordinary request", async (target, status, reason) => {
      const headers = [
        "connection: Upgrade, HTTP2-Settings, close",
        "upgrade: h2c",
        "http2-settings: AAMAAABkAAQAoAAAAAIAAAAA",
      ];
      const { outcome, record, arrived } = await attack(web, get(target, { headers }));
      expect(record).toMatchObject({ kind: "decision", reason });
      expect(outcome.status).toBe(status);
      for (const request of arrived) expect(request.headers.upgrade).toBeUndefined();
      expect(arrived).toHaveLength(status === 200 ? 1 : 0);
    });
  });

  describe("headers that only sidecars may write", () => {
    const forged = [
      `x-cellwall-caller: ${id("/shop/web")}`,
      `X-Cellwall-Caller: ${id("/shop/web")}`,
      "x-cellwall-peer-serial: 01",
      "x-cellwall-decision: d1",
      "x-cellwall-anything: 1",
      `x-forwarded-client-cert: URI=${id("/shop/web")}`,
    ];

    it("do not make a caller somebody else", async () => {
      const { outcome, record, arrived } = await attack(stranger, get("/static/page", { headers: forged }));
      expect(record).toMatchObject({ reason: "no-rule-matched", caller: id("/shop/stranger") });
      expect(outcome.status).toBe(403);
      expect(arrived).toEqual([]);
    });

    it("do not reach the app from an honest caller either", async () => {
      const headers = forged.map((line) => line.replace("/shop/web", "/shop/orders"));
      const { outcome, record, arrived } = await attack(web, get("/static/page", { headers }));
      expect(record).toMatchObject({ reason: "allowed-by-rule", caller: id("/shop/web") });
      expect(outcome.status).toBe(200);
      const got = arrived[0]?.headers ?? {};
      const own = Object.entries(got).filter(([name]) => name.startsWith("x-cellwall-"));
      expect(own.sort()).toEqual([
        ["x-cellwall-caller", id("/shop/web")],
        ["x-cellwall-decision", record.kind === "decision" ? record.id : ""],
      ]);
      expect(got["x-forwarded-client-cert"]).toMatch(/^By=[^,]+;URI=spiffe:\/\/test\.example\/shop\/web$/);
    });
  });

  describe.sequential("after all of them", () => {
    it("has let nothing arrive at the app but what it decided to allow", () => {
      expect(app.requests.length).toBeGreaterThan(0);
      expect(app.requests.filter(({ headers }) => !answered.has(String(headers[MARK])))).toEqual([]);
    });
  });
});
