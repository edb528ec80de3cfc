import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import WebSocket from "ws";
import { askAdmin, locateEnvoy, type RunningEnvoy, runEnvoy } from "../../envoy/binary/index.ts";
import { renderSidecar } from "../../envoy/config/index.ts";
import { call, listen, meshOf, sidecar, workload } from "../../envoy/config/testing/sidecars.ts";
import { createTestCa } from "../../spiffe/testing/index.ts";
import { freePorts } from "../support/free-ports.ts";
import { waitFor } from "../support/until.ts";
import { startTestAgent, type TestAgent } from "./agent.ts";
import { startHttpApp, startTcpApp, type TestApp } from "./app.ts";
import { ask, askGrpc, converse, tlsTo } from "./clients.ts";

// Two sidecars on a real Envoy, with an agent whose decisions the tests hold in their hands:
// `web` calls `orders`, which listens for HTTP (with WebSockets), for TCP of both kinds, for the public and for probes.

const WEB = "spiffe://shop.example/shop/web";
const ORDERS = "spiffe://shop.example/shop/orders";

const folder = mkdtempSync(join(tmpdir(), "cw-"));
const at = (name: string): string => join(folder, name);
const ca = createTestCa({ trustDomain: "shop.example" });
const foreign = createTestCa({ trustDomain: "other.example" });
const web = ca.issue({ uris: [WEB], serial: "4A0B" });
const intruder = ca.issue({ uris: ["spiffe://shop.example/shop/intruder"] });

let ports: { http: number; clientFirst: number; serverFirst: number; edge: number; probes: number };
let agents: { web: TestAgent; orders: TestAgent };
let envoys: readonly RunningEnvoy[] = [];
let apps: { http: TestApp; clientFirst: TestApp; serverFirst: TestApp };

beforeAll(async () => {
  const [http = 0, clientFirst = 0, serverFirst = 0, edge = 0, probes = 0] = await freePorts(5);
  ports = { http, clientFirst, serverFirst, edge, probes };
  apps = {
    http: await startHttpApp(at("app.sock")),
    clientFirst: await startTcpApp(at("cf.sock")),
    serverFirst: await startTcpApp(at("sf.sock"), "hello\n"),
  };
  const own = (id: string, callers: readonly string[]) => ({
    svid: (id === WEB ? web : ca.issue({ uris: [id] })).svid(),
    trustBundles: [ca.bundle()],
    serverFirst: new Map([[serverFirst, callers]]),
  });
  const { set, ordersWorkload, webWorkload } = mesh();
  agents = {
    web: await startTestAgent(socketsOf("web"), webWorkload.identity, own(WEB, [])),
    orders: await startTestAgent(socketsOf("orders"), ordersWorkload.identity, own(ORDERS, [WEB])),
  };
  const located = await locateEnvoy();
  envoys = await Promise.all(
    [webWorkload, ordersWorkload].map((one) => {
      const adminSocket = at(`${one.name}.admin.sock`);
      const { version: envoyVersion, path } = located;
      const bootstrap = renderSidecar({ workload: one, set, envoyVersion, sockets: socketsOf(one.name), adminSocket });
      return runEnvoy({ path, bootstrap, adminSocket });
    }),
  );
  await Promise.all(envoys.map((envoy) => envoy.ready()));
});

afterAll(async () => {
  await Promise.all(envoys.map((envoy) => envoy.stop()));
  for (const agent of Object.values(agents ?? {})) agent.stop();
  await Promise.all(Object.values(apps ?? {}).map((app) => app.stop()));
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(() => {
  apps.http.received.length = 0;
  for (const agent of Object.values(agents)) {
    agent.allow = (check) => check.ok;
    for (const list of [agent.checks, agent.requests, agent.logs]) list.length = 0;
  }
});

function socketsOf(name: string) {
  return { authz: at(`${name}.authz.sock`), envoy: at(`${name}.envoy.sock`) };
}

function mesh() {
  const app = `unix:${at("app.sock")}`;
  const ordersWorkload = workload(
    "orders",
    sidecar({
      listens: [
        listen({ port: ports.http, app, upgrades: ["websocket"] }),
        listen({ port: ports.clientFirst, protocol: "tcp", app: `unix:${at("cf.sock")}` }),
        listen({ port: ports.serverFirst, protocol: "tcp", speaksFirst: "server", app: `unix:${at("sf.sock")}` }),
        listen({ port: ports.edge, clients: "public", app }),
      ],
      probes: { port: ports.probes, paths: ["/healthz"] },
    }),
  );
  const calls = [
    call("orders", ports.http, `unix:${at("to-orders.sock")}`),
    call("orders", ports.clientFirst, `unix:${at("to-cf.sock")}`),
    call("orders", ports.serverFirst, `unix:${at("to-sf.sock")}`),
  ];
  const webWorkload = workload("web", sidecar({ calls }));
  return { set: meshOf([webWorkload, ordersWorkload]), ordersWorkload, webWorkload };
}

const toOrders = () => at("to-orders.sock");
const lastCheck = () => {
  const check = agents.orders.checks.at(-1);
  if (check === undefined) throw new Error("no Check was made");
  return check;
};
/** One HTTP/1.1 request straight to the mesh listener; the answer's first line. */
async function direct(head: string, identity = web): Promise<string> {
  const { text } = await converse(tlsTo(ports.http, identity), `${head}\r\nconnection: close\r\n\r\n`);
  return text.split("\r\n")[0] ?? "";
}

describe("an HTTP call through two sidecars", () => {
  it("reaches the app, and Check knows caller, destination, listener and what is withheld", async () => {
    const answer = await ask({
      socketPath: toOrders(),
      path: "/orders/42?q=1",
      headers: { authorization: "Bearer x", cookie: "a=b", "x-tenant": ["a", "b"] },
    });
    expect(answer).toMatchObject({ status: 200, body: "http1 GET /orders/42?q=1" });
    expect(lastCheck()).toMatchObject({
      ok: true,
      attributes: {
        callerSerial: "4a0b",
        listener: { kind: "mesh", port: ports.http },
        withheldHeaders: new Set(["authorization", "cookie", "proxy-authorization"]),
        http: { method: "GET", path: "/orders/42?q=1", protocol: "HTTP/2" },
      },
    });
    const { attributes } = agents.orders.requests.at(-1) ?? {};
    expect(attributes?.source?.principal).toBe(WEB);
    expect(attributes?.destination?.principal).toBe(ORDERS);
    const checked = attributes?.request?.http?.headerMap?.headers.map(({ key }) => key) ?? [];
    expect(checked).not.toContain("authorization");
    expect(checked).not.toContain("cookie");
    expect(checked.filter((name) => name === "x-tenant")).toHaveLength(2);
    expect(apps.http.received[0]?.headers).toMatchObject({ authorization: "Bearer x", cookie: "a=b" });
  });

  it("gives the app the caller's identity and the decision, and neither forged headers nor the serial", async () => {
    const forged = {
      "x-cellwall-caller": [ORDERS, "spiffe://shop.example/cellwall/authority"],
      "X-Cellwall-Peer-Serial": "1",
      "x-cellwall-decision": "forged",
      "x-cellwall-anything-new": "forged",
      "x-envoy-original-path": "/forged",
      "x-envoy-downstream-service-cluster": "forged",
      "x-forwarded-client-cert": "By=forged;URI=forged",
      "x-request-id": "forged",
    };
    const head = Object.entries(forged)
      .flatMap(([name, values]) => [values].flat().map((value) => `\r\n${name}: ${value}`))
      .join("");
    expect(await direct(`GET /orders HTTP/1.1\r\nhost: orders${head}`)).toBe("HTTP/1.1 200 OK");
    const headers = apps.http.received[0]?.headers ?? {};
    expect(headers["x-cellwall-caller"]).toBe(WEB);
    expect(headers["x-cellwall-decision"]).toBe("d1");
    expect(headers["x-forwarded-client-cert"]).toContain(`URI=${WEB}`);
    expect(headers["x-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(JSON.stringify(headers)).not.toContain("forged");
    expect(headers).not.toHaveProperty("x-cellwall-peer-serial");
    expect(lastCheck()).toMatchObject({ ok: true, attributes: { callerSerial: "4a0b" } });
  });

  it("removes headers that would replace the method, the path or the host", async () => {
    const overrides = ["x-http-method-override", "x-original-url", "x-rewrite-url", "x-forwarded-uri", "forwarded"];
    const head = overrides.map((name) => `\r\n${name}: DELETE`).join("");
    expect(await direct(`POST /orders HTTP/1.1\r\nhost: orders\r\ncontent-length: 0${head}`)).toBe("HTTP/1.1 200 OK");
    for (const name of overrides) expect(apps.http.received[0]?.headers).not.toHaveProperty(name);
    const checked = lastCheck();
    const names = checked.ok ? [...(checked.attributes.http?.headers.keys() ?? [])] : [];
    expect(names).toContain("content-length");
    expect(names.filter((name) => overrides.includes(name))).toEqual([]);
  });

  it("stops what Check denies with 403, and the app sees nothing", async () => {
    agents.orders.allow = () => false;
    const answer = await ask({ socketPath: toOrders(), path: "/orders/42" });
    expect(answer).toMatchObject({ status: 403, headers: { "x-cellwall-decision": "d1" } });
    expect(apps.http.received).toEqual([]);
  });

  it.each(["/anything/at/all?x=1", "/", "/a;b", "/a/%2e%2e;x/b"])(
    "asks Check about %s: no path is without a route",
    async (path) => {
      agents.orders.allow = () => false;
      expect(await direct(`GET ${path} HTTP/1.1\r\nhost: other.example:99`)).toBe("HTTP/1.1 403 Forbidden");
      expect(agents.orders.checks).toHaveLength(1);
    },
  );

  it.each([
    ["/a%2Fb", "path_normalization_failed"],
    ["/a%5cb", "path_normalization_failed"],
    ["/a%00", "path_normalization_failed"],
  ])("refuses %s before Check and reports it", async (path, details) => {
    expect(await direct(`GET ${path} HTTP/1.1\r\nhost: orders`)).toBe("HTTP/1.1 400 Bad Request");
    expect(agents.orders.checks).toEqual([]);
    const [entry] = await waitFor("the access log", () => agents.orders.logs.length > 0 && agents.orders.logs);
    expect(entry).toMatchObject({ log: "cellwall-refused", details });
  });

  it("refuses a header with an underscore, reports it, and reports nothing that Check has seen", async () => {
    agents.orders.allow = (check) => check.ok && check.attributes.http?.path !== "/denied";
    expect(await direct("GET /denied HTTP/1.1\r\nhost: orders")).toBe("HTTP/1.1 403 Forbidden");
    expect(await direct("GET /allowed HTTP/1.1\r\nhost: orders")).toBe("HTTP/1.1 200 OK");
    expect(await direct("GET /x HTTP/1.1\r\nhost: orders\r\nx_role: admin")).toBe("HTTP/1.1 400 Bad Request");
    await waitFor("the access log", () => agents.orders.logs.length > 0);
    expect(agents.orders.logs.map(({ log }) => log)).toEqual(["cellwall-refused"]);
    expect(agents.orders.checks).toHaveLength(2);
  });

  it("resolves dot segments and double slashes to one path, the same for Check and app", async () => {
    expect(await direct("GET /a//x/../b/%2e%2e/c HTTP/1.1\r\nhost: orders")).toBe("HTTP/1.1 200 OK");
    expect(lastCheck()).toMatchObject({ attributes: { http: { path: "/a/c" } } });
    expect(apps.http.received[0]?.url).toBe("/a/c");
  });

  it("carries gRPC to the app over HTTP/2, and all else over HTTP/1.1", async () => {
    const answer = await askGrpc(toOrders(), "/shop.Orders/Get");
    expect(answer).toMatchObject({ status: 200, body: "http2", headers: { "grpc-status": "0" } });
    await ask({ socketPath: toOrders(), path: "/orders", headers: { "content-type": "application/grpc-web" } });
    expect(apps.http.received.map(({ version }) => version)).toEqual(["2.0", "1.1"]);
  });

  it("answers a denied gRPC call as gRPC", async () => {
    agents.orders.allow = () => false;
    expect(await askGrpc(toOrders(), "/shop.Orders/Get")).toMatchObject({
      status: 200,
      headers: { "grpc-status": "7" },
    });
    expect(apps.http.received).toEqual([]);
  });

  it("carries a WebSocket that Check allows, and says to Check that it is one", async () => {
    const socket = new WebSocket(`ws+unix:${toOrders()}:/live`);
    await once(socket, "open");
    socket.send("ping");
    const [data] = await once(socket, "message");
    socket.close();
    expect(String(data)).toBe("ping");
    expect(lastCheck()).toMatchObject({ attributes: { http: { method: "GET", path: "/live", upgrade: "websocket" } } });
  });

  it("refuses a WebSocket that Check denies", async () => {
    agents.orders.allow = () => false;
    const socket = new WebSocket(`ws+unix:${toOrders()}:/live`);
    const [error] = await once(socket, "error");
    expect(String(error)).toContain("403");
    expect(agents.orders.checks).toHaveLength(1);
    expect(apps.http.received).toEqual([]);
  });
});

describe("the mesh listener's handshake", () => {
  const nobody = undefined;
  it.each([
    ["no certificate", nobody, /PEER_DID_NOT_RETURN_A_CERTIFICATE/],
    ["a foreign certificate for our own name", foreign.issue({ uris: [WEB] }), /CERTIFICATE_VERIFY_FAILED/],
    ["another trust domain's certificate", foreign.issue({ uris: ["spiffe://other.example/web"] }), /VERIFY_FAILED/],
    ["no uri san", ca.issue({ dns: ["web.shop"] }), /CERTIFICATE_VERIFY_FAILED/],
    ["a dns san spelt like an identity", ca.issue({ dns: [WEB] }), /CERTIFICATE_VERIFY_FAILED/],
  ])("fails for %s, and the failure is reported", async (_what, identity, reason) => {
    const conversation = await converse(tlsTo(ports.http, identity), "GET / HTTP/1.1\r\nhost: orders\r\n\r\n");
    expect(conversation.text).toBe("");
    const entry = await waitFor("the listener's log", () =>
      agents.orders.logs.find((one) => one.log === "cellwall-tls"),
    );
    expect(entry.transportFailure).toMatch(reason);
    expect(agents.orders.checks).toEqual([]);
  });

  it("hands Check a certificate with two identities as a problem, not as the first of them", async () => {
    agents.orders.allow = (check) => check.ok && check.attributes.caller !== undefined;
    const two = ca.issue({ uris: [WEB, "spiffe://shop.example/shop/admin"] });
    expect(await direct("GET /orders HTTP/1.1\r\nhost: orders", two)).toBe("HTTP/1.1 403 Forbidden");
    expect(lastCheck()).toMatchObject({ attributes: { callerProblem: expect.stringContaining("more than one") } });
    expect(apps.http.received).toEqual([]);
  });

  it("serves no plaintext and no TLS session to resume", async () => {
    const { text } = await converse(connect(ports.http, "127.0.0.1"), "GET / HTTP/1.1\r\nhost: orders\r\n\r\n");
    expect(text).toBe("");
    const socket = tlsTo(ports.http, web);
    let sessions = 0;
    socket.on("session", () => {
      sessions += 1;
    });
    const secure = await converse(socket, "GET / HTTP/1.1\r\nhost: orders\r\nconnection: close\r\n\r\n");
    expect([secure.text.split("\r\n")[0], sessions]).toEqual(["HTTP/1.1 200 OK", 0]);
  });
});

describe("a TCP listener", () => {
  it("carries a connection that Check allows", async () => {
    const { text } = await converse(connect(at("to-cf.sock")), "select 1;", "select 1;");
    expect(text).toBe("select 1;");
    expect(lastCheck()).toMatchObject({
      ok: true,
      attributes: { listener: { kind: "mesh", port: ports.clientFirst }, tcp: {} },
    });
  });

  it("closes one that Check denies: no byte to the client, no connection at the app", async () => {
    agents.orders.allow = () => false;
    const before = apps.clientFirst.connections();
    expect((await converse(tlsTo(ports.clientFirst, intruder, []), "select 1;")).text).toBe("");
    expect(apps.clientFirst.connections()).toBe(before);
    expect(agents.orders.checks).toHaveLength(1);
  });

  it("opens no connection to the app for a handshake alone", async () => {
    const before = apps.clientFirst.connections();
    const socket = tlsTo(ports.clientFirst, web, []);
    await once(socket, "secureConnect");
    const after = await converse(tlsTo(ports.clientFirst, web, []), "x", "x");
    expect(after.text).toBe("x");
    socket.destroy();
    expect(apps.clientFirst.connections()).toBe(before + 1);
  });

  it("gives a server that speaks first to the callers in the secret only", async () => {
    const before = apps.serverFirst.connections();
    expect((await converse(connect(at("to-sf.sock")), "", "hello\n")).text).toBe("hello\n");
    expect(apps.serverFirst.connections()).toBe(before + 1);
    for (const identity of [intruder, foreign.issue({ uris: [WEB] }), undefined]) {
      expect((await converse(tlsTo(ports.serverFirst, identity, []), "")).text).toBe("");
    }
    await converse(connect(ports.serverFirst, "127.0.0.1"), "plain\n");
    expect(apps.serverFirst.connections()).toBe(before + 1);
  });
});

describe("the edge listener", () => {
  it("has anonymous callers, whatever they claim", async () => {
    const headers = { "x-cellwall-caller": WEB, "x-forwarded-client-cert": `URI=${WEB}`, "x-envoy-internal": "true" };
    expect(await ask({ port: ports.edge, path: "/", headers })).toMatchObject({ status: 200 });
    const check = lastCheck();
    expect(check).toMatchObject({ ok: true, attributes: { listener: { kind: "edge", port: ports.edge } } });
    expect(check.ok && check.attributes.caller).toBeUndefined();
    for (const name of Object.keys(headers)) expect(apps.http.received[0]?.headers).not.toHaveProperty(name);
  });

  it("takes no WebSocket where the listener names none", async () => {
    const socket = new WebSocket(`ws://127.0.0.1:${ports.edge}/live`);
    const [error] = await once(socket, "error");
    expect(String(error)).toContain("403");
    expect(agents.orders.checks).toEqual([]);
  });
});

describe("the probes listener", () => {
  it.each([
    ["GET", "/healthz", 200],
    ["HEAD", "/healthz", 200],
    ["POST", "/healthz", 404],
    ["GET", "/healthz?x=1", 404],
    ["GET", "/healthz/", 404],
    ["GET", "/orders", 404],
    ["GET", "/%68ealthz/../orders", 404],
  ])("answers %s %s with %i, without a Check", async (method, path, status) => {
    expect(await ask({ port: ports.probes, path, method })).toMatchObject({ status });
    expect(apps.http.received).toHaveLength(status === 200 ? 1 : 0);
    expect(agents.orders.checks).toEqual([]);
  });

  it("bounds their rate", async () => {
    const answers = await Promise.all(
      Array.from({ length: 80 }, () => ask({ port: ports.probes, path: "/healthz" }).then(({ status }) => status)),
    );
    expect(answers).toContain(429);
  });
});

describe("the process", () => {
  it("has an admin socket for its owner, which changes nothing", async () => {
    const socket = at("orders.admin.sock");
    expect(statSync(socket).mode & 0o777).toBe(0o600);
    expect(await askAdmin(socket, "/ready")).toMatchObject({ status: 200, body: "LIVE\n" });
    expect((await askAdmin(socket, "/quitquitquit", { method: "POST" })).status).toBe(403);
    expect((await askAdmin(socket, "/runtime_modify?a=b", { method: "POST" })).status).toBe(403);
  });

  it("has outbound sockets for its owner", () => {
    for (const name of ["to-orders.sock", "to-cf.sock", "to-sf.sock"]) {
      expect(statSync(at(name)).mode & 0o777).toBe(0o600);
    }
  });

  it("leaves a port alone that is taken", async () => {
    const located = await locateEnvoy();
    const { set, ordersWorkload } = mesh();
    const bootstrap = renderSidecar({
      workload: ordersWorkload,
      set,
      envoyVersion: located.version,
      sockets: socketsOf("orders"),
      adminSocket: at("second.sock"),
    });
    const second = await runEnvoy({ path: located.path, bootstrap, adminSocket: at("second.sock") });
    await expect(second.ready()).rejects.toMatchObject({ message: expect.stringContaining("bind") });
    await second.stop();
  });

  it("answers 503 when the agent is gone, and the app sees nothing", async () => {
    agents.orders.killAuthorization();
    const answer = await ask({ socketPath: toOrders(), path: "/orders/42" });
    expect(answer.status).toBe(503);
    expect((await converse(tlsTo(ports.clientFirst, web, []), "select 1;")).text).toBe("");
    expect(apps.http.received).toEqual([]);
  });

  it("needs its configuration file no longer, and it is gone", () => {
    if (process.platform !== "linux") return;
    for (const { pid } of envoys) {
      const file = readFileSync(`/proc/${pid}/cmdline`, "utf8")
        .split("\0")
        .find((word) => word.endsWith(".json"));
      expect(file).toContain("bootstrap.json");
      expect(existsSync(file ?? "")).toBe(false);
    }
  });

  it("ends when told", async () => {
    for (const exit of await Promise.all(envoys.map((envoy) => envoy.stop()))) {
      expect(exit).toMatchObject({ code: 0, signal: null });
    }
  });
});
