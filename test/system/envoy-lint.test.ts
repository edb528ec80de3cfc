import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TLSSocket } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse } from "yaml";
import {
  askAdmin,
  type EnvoyVersion,
  envoyVersion,
  formatEnvoyVersion,
  locateEnvoy,
  runEnvoy,
} from "../../envoy/binary/index.ts";
import { HeaderValueOption_HeaderAppendAction } from "../../envoy/gen/envoy/config/core/v3/base.ts";
import { type ConfigSource, LINT_IDS, lintConfig, type PatchTarget, readSource } from "../../envoy/lint/index.ts";
import { patchConfig } from "../../envoy/patch/index.ts";
import { parseSpiffeId, parseTrustDomain } from "../../spiffe/index.ts";
import { createTestCa, type TestCertificate } from "../../spiffe/testing/index.ts";
import { depth } from "../support/depth.ts";
import { freePorts } from "../support/free-ports.ts";
import { recordResult } from "../support/record-result.ts";
import { startStandInSpire } from "../support/stand-in-spire.ts";
import { startTestAgent, type TestAgent } from "./agent.ts";
import { startHttpApp, startTcpApp, type TestApp } from "./app.ts";
import { converse, tlsTo } from "./clients.ts";
import { HOLES, type Hole, type Outcome, WITHOUT_REQUEST } from "./holes/index.ts";
import { configOf } from "./holes/user-config.ts";
import { OLD_ENVOYS, oldEnvoy } from "./old-envoys.ts";

// One Envoy with a listener for each hole, as a user may have written it, and the same after `cellwall envoy patch`: each
// request goes through the first and not through the second.

const folder = mkdtempSync(join(tmpdir(), "cw-"));
const at = (name: string): string => join(folder, name);
const ca = createTestCa({ trustDomain: "shop.example" });
const server = ca.issue({ uris: ["spiffe://shop.example/shop/orders"] });
const orders = parseSpiffeId("spiffe://shop.example/shop/orders");
const sockets = { authz: at("authz.sock"), envoy: at("envoy.sock") };
const others = { authz: at("yes.sock"), envoy: at("yes-envoy.sock") };
let ports: readonly number[] = [];
let agent: TestAgent;
/** It allows everything. */
let yes: TestAgent;
/** What the last Envoy said of its configuration. */
let dump = "";
let servers: readonly Server[] = [];
let apps: { readonly http: TestApp; readonly tcp: TestApp };

beforeAll(async () => {
  ports = await freePorts(HOLES.length);
  apps = { http: await startHttpApp(at("app.sock")), tcp: await startTcpApp(at("tcp.sock"), "hello") };
  const secrets = { svid: server.svid(), trustBundles: [ca.bundle()], serverFirst: new Map() };
  agent = await startTestAgent(sockets, orders, secrets);
  yes = await startTestAgent(others, orders, secrets);
  agent.allow = () => {
    const path = agent.requests.at(-1)?.attributes?.request?.http?.path ?? "";
    return path.startsWith("/public/") && !saidTo(agent, "x-deny");
  };
  agent.changed = (response) => {
    const { httpResponse } = response;
    if (httpResponse?.$case === "okResponse" && saidTo(agent, "x-mutate"))
      httpResponse.value.headers.push({
        header: { key: ":path", value: "/admin", rawValue: new Uint8Array(0) },
        append: undefined,
        appendAction: HeaderValueOption_HeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
        keepEmptyValue: false,
      });
    if (httpResponse?.$case === "deniedResponse" && saidTo(agent, "x-verbose"))
      httpResponse.value.body = "x".repeat(10_000);
  };
  // Whoever comes to one of these gets its own identity as the answer.
  const stranger = createTestCa({ trustDomain: "shop.example" });
  servers = await Promise.all([
    tlsServer(at("peer.sock"), ca.issue({ uris: ["spiffe://shop.example/shop/peer"] })),
    tlsServer(at("stranger.sock"), stranger.issue({ uris: ["spiffe://shop.example/shop/peer"] })),
  ]);
});

/** Whether the last request has a header. */
function saidTo({ requests }: TestAgent, name: string): boolean {
  const http = requests.at(-1)?.attributes?.request?.http;
  return http?.headers.has(name) === true || http?.headerMap?.headers.some(({ key }) => key === name) === true;
}

function tlsServer(path: string, { chainPem: cert, keyPem: key }: TestCertificate): Promise<Server> {
  const options = { cert, key, requestCert: true, rejectUnauthorized: false };
  const server = createServer(options, ({ socket }, response) => {
    const shown = socket instanceof TLSSocket ? socket.getPeerCertificate().subjectaltname : undefined;
    response.end(shown?.replace("URI:", "") ?? "nobody");
  });
  return new Promise((resolve) => server.listen(path, () => resolve(server)));
}

afterAll(async () => {
  agent?.stop();
  yes?.stop();
  for (const one of servers) one.close();
  await Promise.all(Object.values(apps ?? {}).map((app) => app.stop()));
  rmSync(folder, { recursive: true, force: true });
});

const around = { ca, folder };
/** Listeners on the test's ports, as a user may have written them. */
const userConfig = (holes: readonly Hole[]): string =>
  configOf(holes, { around, server, ports, admin: at("admin.sock"), authz: sockets.authz, generous: others.authz });

/** The same for an Envoy of this test, which opens nothing to the network. */
const onLoopback = (text: string): string => text.replaceAll("0.0.0.0", "127.0.0.1");

/** Runs an Envoy on a configuration and makes every attack on it. */
async function attacked(path: string, text: string, holes: readonly Hole[]): Promise<ReadonlyMap<string, Outcome>> {
  const adminSocket = at("admin.sock");
  const envoy = await runEnvoy({ path, bootstrap: parse(onLoopback(text)), adminSocket });
  const admin = async (what: string): Promise<string> => (await askAdmin(adminSocket, what)).body;
  try {
    await envoy.ready();
    dump = await admin("/config_dump");
    const outcomes = new Map<string, Outcome>();
    for (const [index, hole] of holes.entries()) {
      apps.http.received.length = 0;
      agent.requests.length = 0;
      const target = { ...around, port: ports[index] ?? 0, admin };
      const status = await hole.attack(target).catch((error: unknown) => String(error));
      const [checks, check] = [agent.requests.length, agent.requests.at(-1)];
      outcomes.set(hole.id, { status, app: apps.http.received.at(-1), checks, check });
    }
    return outcomes;
  } finally {
    await envoy.stop();
  }
}

function targetFor(envoyVersion: EnvoyVersion): PatchTarget {
  const mesh: PatchTarget["mesh"] = {
    trustDomain: parseTrustDomain("shop.example"),
    defaultMode: "enforce",
    isolate: [],
    unregistered: "deny",
    federated: [],
    jwtProviders: new Map(),
  };
  return {
    workload: "shop/orders",
    mesh,
    sockets,
    envoyVersion,
    mtls: false,
    keepOverrideHeaders: [],
    withheld: ["authorization", "cookie", "proxy-authorization"],
  };
}

const versions = depth === "full" ? ["pinned", ...OLD_ENVOYS.keys()] : ["pinned"];

/** Those that this version can have. */
function holesOf(version: string): readonly Hole[] {
  const minor = version === "pinned" ? Number.POSITIVE_INFINITY : Number(version.split(".")[1]);
  return HOLES.filter(
    ({ full, since = 0, upTo = minor }) => minor >= since && minor <= upTo && (full !== true || depth === "full"),
  );
}

const results: Record<string, object> = {};
afterAll(() => recordResult("envoy-lint-holes", { findings: LINT_IDS.length, versions: results }));

const isShown = (hole: Hole, outcome: Outcome | undefined): boolean => outcome !== undefined && hole.shows(outcome);

describe.each(versions)("on Envoy %s", (version) => {
  const holes = holesOf(version);
  let before: ReadonlyMap<string, Outcome>;
  let after: ReadonlyMap<string, Outcome>;
  let dumped: ReadonlySet<string>;
  let found: Readonly<Record<"before" | "running" | "after", ReadonlySet<string>>>;

  beforeAll(async () => {
    const path = version === "pinned" ? (await locateEnvoy()).path : await oldEnvoy(version);
    const target = targetFor(await envoyVersion(path));
    const text = userConfig(holes);
    const source = readSource("envoy.yaml", text);
    const patched = patchConfig(source, target);
    const idsIn = (one: ConfigSource) =>
      new Set(lintConfig(one).map(({ id, message }) => `${message.split(": ", 1)[0]} ${id}`));
    const ids = (one: string) => idsIn(readSource("envoy.yaml", one));
    found = { before: idsIn(source), running: ids(onLoopback(text)), after: ids(patched.text) };
    before = await attacked(path, text, holes);
    dumped = ids(dump);
    after = await attacked(path, patched.text, holes);
    const proved = holes.filter((hole) => isShown(hole, before.get(hole.id)));
    const mended = proved.filter(({ left }) => left !== true);
    const closed = mended.filter((hole) => !isShown(hole, after.get(hole.id)));
    results[formatEnvoyVersion(target.envoyVersion)] = {
      proved: proved.length,
      mended: mended.length,
      closed: closed.length,
    };
  });

  it.each(holes.map(({ id }) => id))("%s lets a request through, lint finds it, and a patch closes it", (id) => {
    const hole = holes.find((one) => one.id === id);
    const [open, closed] = [before.get(id), after.get(id)];
    if (hole === undefined || open === undefined || closed === undefined) throw new Error("no outcome");
    const name = `${hole.scope ?? `listener \`${id}\``} ${id}`;
    expect(hole.shows(open), shown(open)).toBe(true);
    expect(found.before).toContain(name);
    if (hole.left || (version === "1.36.4" && id === "banner-before-authorization")) return;
    expect(found.after).not.toContain(name);
    expect(hole.shows(closed), shown(closed)).toBe(false);
  });

  it("finds in what the running Envoy says of itself all that is in the file", () => {
    expect([...found.running].filter((one) => !dumped.has(one))).toEqual([]);
  });

  it("still lets good requests through where the patch has been", () => {
    const names = [
      "path-not-normalized",
      "envoy-headers-trusted",
      "request-id-trusted",
      "override-headers-kept",
      "caller-header-forgeable",
      "client-certificate-header-trusted",
      "host-ambiguous",
    ];
    expect(names.filter((id) => after.get(id)?.status !== (id === "path-not-normalized" ? "403" : "200"))).toEqual([]);
  });
});

/** An outcome in a few lines. */
function shown({ status, app, checks, check }: Outcome): string {
  const http = check?.attributes?.request?.http;
  return JSON.stringify({ status, app, checks, check: http && [http.path, [...http.headers]] });
}

it("every finding has a request that proves it, or a reason why none can", () => {
  const proved = new Set(HOLES.map(({ id }) => id));
  expect(LINT_IDS.filter((id) => proved.has(id) === (WITHOUT_REQUEST[id] !== undefined))).toEqual([]);
});

describe("a plaintext listener patched with mutual TLS", () => {
  const spire = at("spire.sock");
  const external = { bundle: { workloadApi: `unix:${spire}` }, certificates: { sds: `unix:${spire}` } };

  it.each([
    ["the agent", {}],
    ["another authority's socket", { identity: external }],
  ])(
    "admits a workload of the mesh by its identity, and nobody else, with a certificate from %s",
    async (_, issuer) => {
      const elsewhere = ca.issue({ uris: [`${orders}`] });
      const api = await startStandInSpire(spire, elsewhere.svid(), ca.bundle());
      const { path, version } = await locateEnvoy();
      const plain: Hole = { id: "plain", authz: "none", attack: async () => "", shows: () => false };
      const usual = targetFor(version);
      const target = { ...usual, mtls: true, mesh: { ...usual.mesh, ...issuer } };
      const { text, left } = patchConfig(readSource("envoy.yaml", userConfig([plain])), target);
      expect(left).toEqual([]);
      const envoy = await runEnvoy({ path, bootstrap: parse(text), adminSocket: at("admin.sock") });
      const [port = 0] = ports;
      let shownSerial: string | undefined;
      const request = "GET /public/ HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
      try {
        await envoy.ready();
        agent.checks.length = 0;
        const connection = tlsTo(port, ca.issue({ uris: ["spiffe://shop.example/shop/web"] }));
        connection.once("secureConnect", () => {
          shownSerial = connection.getPeerX509Certificate()?.serialNumber;
        });
        const web = await converse(connection, request);
        expect(web.text).toMatch(/^HTTP\/1\.1 200 /);
        expect(agent.checks.at(-1)).toMatchObject({ ok: true, attributes: { listener: { kind: "mesh", port } } });
        const foreign = createTestCa({ trustDomain: "shop.example" }).issue({
          uris: ["spiffe://shop.example/shop/web"],
        });
        const others = [tlsTo(port), tlsTo(port, foreign), connect(port, "127.0.0.1")];
        const answers = await Promise.all(others.map((socket) => converse(socket, request)));
        expect(answers.map((one) => one.text)).toEqual(["", "", ""]);
        expect(agent.checks.length).toBe(1);
        const { serialNumber } = ("identity" in issuer ? elsewhere : server).certificate;
        expect(shownSerial).toBe(serialNumber);
      } finally {
        api.close();
        await envoy.stop();
      }
    },
  );
});
