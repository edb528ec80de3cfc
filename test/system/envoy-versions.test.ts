import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";
import { type LocalMesh, startLocalMesh } from "../../cli/local-mesh/index.ts";
import { compareEnvoyVersions, type EnvoyVersion, envoyVersion, locateEnvoy } from "../../envoy/binary/index.ts";
import { createTestCa } from "../../spiffe/testing/index.ts";
import { grpcApp, http1App, type TestApp, tcpApp } from "../support/apps.ts";
import { grpc, http1, http2, tcp, webSocket } from "../support/clients.ts";
import { atDepth, depth } from "../support/depth.ts";
import { repositoryPath } from "../support/processes.ts";
import { recordResult } from "../support/record-result.ts";
import { overTls, requestBytes } from "../support/straight.ts";
import { BANNER, httpMeshFile, protocolMeshFile } from "../support/test-mesh.ts";
import { OLD_ENVOYS, oldEnvoy } from "./old-envoys.ts";

// Traffic and attacks through two sidecars on every supported line of Envoy, at full depth: the four older binaries are fetched once,
// into the user's cache. Quick depth asks the Envoy in use the HTTP part alone; the other end-to-end tests hold the rest there.

interface Running {
  readonly mesh: LocalMesh;
  readonly orders: TestApp;
  readonly invoices: TestApp;
  readonly tcpApps: readonly TestApp[];
  stop(): Promise<void>;
}

/** One thing that is tried, and what must come of it; `seen` is what the app received of it. */
interface Trial {
  readonly name: string;
  readonly attack: boolean;
  run(running: Running): Promise<unknown>;
  readonly expected: unknown;
}

const foreign = createTestCa({ trustDomain: "test.example" }).issue({ uris: ["spiffe://test.example/shop/web"] });

/** Status, how many requests the app received, and why. */
type Came = readonly [number, number, string];
const ALLOWED: Came = [200, 1, "allowed-by-rule"];
const DENIED: Came = [403, 0, "denied-by-rule"];
const UNMATCHED: Came = [403, 0, "no-rule-matched"];
const AMBIGUOUS: Came = [403, 0, "ambiguous-path"];

async function ask(
  { mesh, orders }: Running,
  from: string,
  path: string,
  more: { readonly method?: string; readonly headers?: Readonly<Record<string, string | string[]>> } = {},
  client = http1,
): Promise<Came> {
  const before = orders.requests.length;
  const mark = mesh.records.mark();
  const { status } = await client({ socket: mesh.callSocket(from, "orders"), path, ...more });
  const arrived = orders.requests.length - before;
  // What the caller's own sidecar refuses is in no record.
  if (status === 400) return [status, arrived, "malformed"];
  const record = await mesh.records.waitFor(mark, ({ workload }) => workload === "shop/orders", 5_000);
  return [status, arrived, record?.reason ?? "no record"];
}

const FORGED = "spiffe://test.example/shop/web";
type Row = readonly [name: string, from: string, path: string, expected: Came, more?: Parameters<typeof ask>[3]];
/** From 1.39 on Envoy resolves dots before a semicolon; before, it leaves a path that could be read in two ways. */
const rows = (resolvesParameters: boolean): readonly Row[] => [
  ["what a rule allows", "web", "/orders/42?x=1", ALLOWED],
  ["the wrong identity", "stranger", "/orders/42", UNMATCHED],
  ["the wrong method", "web", "/orders/42", UNMATCHED, { method: "DELETE" }],
  ["the wrong path", "web", "/orders/mine", UNMATCHED],
  ["a deny", "web", "/static/admin/users", DENIED],
  ["dots under a deny", "web", "/static/x/../admin/y", DENIED],
  ["encoded dots under a deny", "web", "/static/x/%2e%2e/admin/y", DENIED],
  ["encoded dots before a semicolon", "web", "/static/x/%2e%2e;a/admin/y", resolvesParameters ? DENIED : AMBIGUOUS],
  ["dots before a semicolon", "web", "/static/x/..;a/admin/y", resolvesParameters ? DENIED : AMBIGUOUS],
  ["double slashes under a deny", "web", "/static//admin/y", DENIED],
  ["an encoded slash", "web", "/static%2Fadmin/y", [400, 0, "malformed"]],
  ["twice encoded dots", "web", "/static/%252e%252e/admin", AMBIGUOUS],
  ["a forged caller", "stranger", "/orders/42", UNMATCHED, { headers: { "x-cellwall-caller": FORGED } }],
  ["a forged xfcc", "stranger", "/orders/42", UNMATCHED, { headers: { "x-forwarded-client-cert": `URI=${FORGED}` } }],
  ["a method that overrides", "web", "/orders/42", ALLOWED, { headers: { "x-http-method-override": "DELETE" } }],
  [
    "one wrong value of two",
    "web",
    "/exports",
    UNMATCHED,
    { method: "POST", headers: { "x-tenant": ["acme", "evil"] } },
  ],
];
const httpTrials = (version: EnvoyVersion): readonly Trial[] =>
  rows(compareEnvoyVersions(version, { major: 1, minor: 39, patch: 0 }) >= 0).map(
    ([name, from, path, expected, more = {}]) => ({
      name,
      attack: expected[0] !== 200,
      run: (running) => ask(running, from, path, more),
      expected,
    }),
  );

const transportTrials: readonly Trial[] = [
  {
    name: "HTTP/2 from the app",
    attack: false,
    run: (running) => ask(running, "web", "/orders/42", {}, http2),
    expected: ALLOWED,
  },
  {
    name: "an upgrade that a line allows",
    attack: false,
    run: ({ mesh }) => webSocket(mesh.callSocket("web", "orders"), "/live/x", "hi"),
    expected: { status: 101, answer: "echo hi" },
  },
  {
    name: "an upgrade on a path of GET",
    attack: true,
    run: async ({ mesh }) => (await webSocket(mesh.callSocket("web", "orders"), "/static/x", "hi")).status,
    expected: 403,
  },
  {
    name: "gRPC, allowed and denied",
    attack: true,
    run: async ({ mesh, invoices }) => {
      const call = (from: string, method: string) =>
        grpc(mesh.callSocket(from, "invoices"), `/shop.Invoices/${method}`, "7").then(({ code }) => code);
      const codes = [await call("web", "Get"), await call("web", "Delete"), await call("stranger", "Get")];
      return [codes, invoices.requests.length];
    },
    expected: [[0, 7, 7], 1],
  },
  ...(["no certificate", "a certificate of another authority"] as const).map((what) => ({
    name: `past the own sidecar with ${what}`,
    attack: true,
    run: async ({ mesh, orders }: Running) => {
      const before = orders.requests.length;
      const shown = { certificates: foreign.chainPem, privateKey: foreign.keyPem };
      const to = { host: mesh.address("orders"), port: 8443, from: "127.0.0.1" };
      const { status } = await overTls(
        { ...to, ...(what === "no certificate" ? {} : { shown }) },
        requestBytes("/orders/42"),
      );
      return [status, orders.requests.length - before];
    },
    expected: [undefined, 0],
  })),
];

const tcpTrials: readonly Trial[] = [
  {
    name: "TCP, client first",
    attack: true,
    run: async ({ mesh, tcpApps: [db] }) => {
      const allowed = await tcp(mesh.callSocket("web", "db"), { send: "select" });
      const denied = await tcp(mesh.callSocket("stranger", "db"), { send: "select" });
      return [allowed.text, denied.text, db?.connections.length];
    },
    expected: ["select", "", 1],
  },
  {
    name: "TCP, server first",
    attack: true,
    run: async ({ mesh, tcpApps: [, mail] }) => {
      const allowed = await tcp(mesh.callSocket("web", "mail"), {});
      const denied = await tcp(mesh.callSocket("stranger", "mail"), { send: "x" });
      return [allowed.text, denied.text, mail?.connections.length];
    },
    expected: [BANNER, "", 1],
  },
];

async function start(path: string, withTcp: boolean): Promise<Running> {
  const folder = mkdtempSync(join(tmpdir(), "cw-"));
  const version = await envoyVersion(path);
  const files = [withTcp ? protocolMeshFile : httpMeshFile];
  const mesh = await startLocalMesh({ files, folder, envoy: { path, version, source: "explicit" } });
  const orders = await http1App(mesh.appSocket("orders", 8443));
  const invoices = await grpcApp(mesh.appSocket("invoices", 8443), ["/shop.Invoices/Get", "/shop.Invoices/Delete"]);
  const tcpApps = withTcp
    ? [await tcpApp(mesh.appSocket("db", 5432)), await tcpApp(mesh.appSocket("mail", 2525), BANNER)]
    : [];
  const stop = async (): Promise<void> => {
    await mesh.stop();
    for (const app of [orders, invoices, ...tcpApps]) await app.close();
    rmSync(folder, { recursive: true, force: true });
  };
  await mesh.startSidecars().catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  return { mesh, orders, invoices, tcpApps, stop };
}

/** What came otherwise than it should. */
async function tryAll(path: string, withTcp: boolean) {
  const running = await start(path, withTcp);
  const http = httpTrials(await envoyVersion(path));
  const trials = [...http, ...atDepth({ quick: [], full: transportTrials }), ...(withTcp ? tcpTrials : [])];
  const wrong: Record<string, unknown> = {};
  try {
    for (const trial of trials) {
      const got = await trial.run(running);
      if (JSON.stringify(got) !== JSON.stringify(trial.expected)) wrong[trial.name] = got;
    }
  } finally {
    await running.stop();
  }
  return { wrong, trials: trials.length, attacks: trials.filter(({ attack }) => attack).length };
}

/** The end-to-end tests that need no TCP listener, which Envoy 1.36 cannot protect. */
const WITHOUT_TCP = [
  ...["e2e/http", "e2e/grpc", "e2e/websocket", "e2e/straight-at-the-peer", "e2e/revocation", "e2e/rotation"],
  ...["e2e/front-door", "e2e/istio-custom-action", "e2e/envoy-gateway", "e2e/spire-identities"],
];
const WITH_TCP = [...WITHOUT_TCP, "e2e/tcp", "e2e/sever", "system/demo"];

/** Runs the end-to-end tests, attacks past the sidecar among them, on another Envoy; what failed, and how many passed. */
async function endToEnd(
  path: string,
  withTcp: boolean,
): Promise<{ readonly failed: readonly string[]; readonly passed: number }> {
  const folder = mkdtempSync(join(tmpdir(), "cw-"));
  const report = join(folder, "report.json");
  const files = (withTcp ? WITH_TCP : WITHOUT_TCP).map((name) => `test/${name}.test.ts`);
  const vitest = repositoryPath("node_modules", "vitest", "vitest.mjs");
  const args = [vitest, "run", "--project", "system", "--reporter=json", `--outputFile=${report}`, ...files];
  const env = { ...process.env, CELLWALL_ENVOY: path, CELLWALL_DEPTH: "quick" };
  const child = spawn(process.execPath, args, { cwd: repositoryPath(), env, stdio: "ignore" });
  await new Promise((resolve) => child.once("close", resolve));
  const { numPassedTests, testResults } = e2eReport.parse(JSON.parse(readFileSync(report, "utf8")));
  rmSync(folder, { recursive: true, force: true });
  const tests = testResults.flatMap((file) => file.assertionResults);
  return {
    failed: tests
      .filter(({ status }) => status === "failed")
      .map(({ fullName, failureMessages }) => `${fullName}: ${failureMessages[0] ?? ""}`),
    passed: numPassedTests,
  };
}

const e2eTest = z.object({
  fullName: z.string(),
  status: z.string(),
  failureMessages: z.array(z.string()).default([]),
});
const e2eReport = z.object({
  numPassedTests: z.number(),
  testResults: z.array(z.object({ assertionResults: z.array(e2eTest) })),
});

describe("traffic and attacks", () => {
  const results: Record<string, unknown> = {};
  afterAll(() => recordResult("envoy-versions", { versions: results }));

  /** What is tried by hand in one mesh, and at full depth the end-to-end tests and the demo's scenario too. */
  async function everything(version: string, path: string): Promise<void> {
    const withTcp = !version.startsWith("1.36.");
    const { wrong, ...counts } = await tryAll(path, withTcp && depth === "full");
    results[version] = counts;
    expect(wrong).toEqual({});
    if (depth !== "full") return;
    const { failed, passed } = await endToEnd(path, withTcp);
    results[version] = { ...counts, endToEndTests: passed, failed: failed.length };
    expect([failed, passed > 100]).toEqual([[], true]);
  }

  if (depth === "full" && process.platform === "linux" && process.arch === "x64") {
    it.each([...OLD_ENVOYS.keys()])("come out the same on Envoy %s", async (version) =>
      everything(version, await oldEnvoy(version)),
    );
  }

  it("come out the same on the Envoy in use", async () => {
    const { path, version } = await locateEnvoy();
    await everything(`${version.major}.${version.minor}.${version.patch}`, path);
  });
});
