import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { locateEnvoy, type RunningEnvoy, runEnvoy } from "../../envoy/index.ts";
import { checkRequest } from "../../ext-authz/testing/check-request.ts";
import { networkClient } from "../../ext-authz/testing/network-client.ts";
import { createTestCa, type TestCertificate } from "../../spiffe/testing/index.ts";
import { type AgentWorld, startAgentWorld } from "../support/agent-world.ts";
import { http1App, type TestApp } from "../support/apps.ts";
import { type FileSecrets, fileSecrets } from "../support/file-secrets.ts";
import { freePorts } from "../support/free-ports.ts";
import { byKey, ofKey } from "../support/key-identifiers.ts";
import { meshDocuments } from "../support/mesh-documents.ts";
import { overTls, requestBytes } from "../support/straight.ts";
import { until } from "../support/until.ts";
import { istioAppCluster, istioClusters, istioListener, PROVIDER_ROOTS, ROOTS } from "./istio-sidecar.ts";

// Istio is the certificate authority and configures the Envoys; the agent is the provider of action CUSTOM.

const ORDERS = "spiffe://cluster.local/ns/shop/sa/orders";
const WEB = "spiffe://cluster.local/ns/shop/sa/web";
const BILLING = "spiffe://cluster.local/ns/shop/sa/billing";
const AGENT = "spiffe://cluster.local/cellwall/agent/istio";
/** A root as Istio makes one, told from another by its key alone, and what it issues. */
const istioCa = (key: number) => {
  const root = { subject: "/O=cluster.local", uris: [], keyKind: "rsa2048", extensions: [ofKey(key)] } as const;
  const ca = createTestCa({ trustDomain: "cluster.local", ...root });
  const issue = (identity: string): TestCertificate => ca.issue({ uris: [identity], extensions: [byKey(key)] });
  return { rootPem: ca.rootPem, issue };
};

const policies = (bundle: string): string =>
  meshDocuments({
    trustDomain: "cluster.local",
    mesh: { identity: { issuer: "external", bundle: { file: bundle } } },
    nodes: { istio: {} },
    workloads: {
      web: { labels: { tier: "front" }, identity: WEB, runsOn: { node: "istio" } },
      billing: { labels: { tier: "back" }, identity: BILLING, runsOn: { node: "istio" } },
      orders: { labels: { tier: "back" }, identity: ORDERS, runsOn: { node: "istio" } },
    },
    policies: {
      orders: {
        allow: { "front-reads": { from: { labels: { tier: "front" } }, requests: ["GET /orders/{id:int}"] } },
      },
    },
  });

describe("the provider of Istio's action CUSTOM", () => {
  const istio = istioCa(1);
  const other = istioCa(1);
  const orders = istio.issue(ORDERS);
  let world: AgentWorld;
  let app: TestApp;
  let envoy: RunningEnvoy;
  let secrets: FileSecrets;
  let ports = { own: 0, another: 0, stranger: 0 };
  let bundlePath = "";

  beforeAll(async () => {
    const [own = 0, another = 0, stranger = 0] = await freePorts(3);
    ports = { own, another, stranger };
    world = await startAgentWorld({
      trustDomain: "cluster.local",
      node: "istio",
      listen: { host: "127.0.0.1", port: 0 },
      policies: (folder) => {
        bundlePath = join(folder, "root-cert.pem");
        writeFileSync(bundlePath, istio.rootPem);
        return policies(bundlePath);
      },
    });
    app = await http1App(join(world.folder, "app.sock"));
    secrets = fileSecrets(join(world.folder, "secrets"));
    secrets.certificate("default", orders);
    secrets.certificate("billing", istio.issue(BILLING));
    secrets.certificate("stranger", other.issue(ORDERS));
    secrets.roots(ROOTS, istio.rootPem);
    secrets.roots(PROVIDER_ROOTS, readFileSync(join(world.folder, "agent", "roots.pem"), "utf8"));
    envoy = await startEnvoy();
  });
  afterAll(async () => {
    await envoy?.stop();
    await app?.close();
    await world?.stop();
  });

  async function startEnvoy(): Promise<RunningEnvoy> {
    const { path } = await locateEnvoy();
    const provider = { port: Number(new URL(address()).port), identity: AGENT };
    const sidecars = [
      { port: ports.own, shownToProvider: "default", secrets, provider },
      { port: ports.another, shownToProvider: "billing", secrets, provider },
      { port: ports.stranger, shownToProvider: "stranger", secrets, provider },
    ];
    const adminSocket = join(world.folder, "admin.sock");
    const bootstrap = {
      node: { id: "sidecar~10.0.0.1~orders.shop~shop.svc.cluster.local", cluster: "orders.shop" },
      admin: { address: { pipe: { path: adminSocket } } },
      static_resources: {
        listeners: sidecars.map(istioListener),
        clusters: [...sidecars.flatMap(istioClusters), istioAppCluster(join(world.folder, "app.sock"))],
      },
    };
    const started = await runEnvoy({ path, bootstrap, adminSocket });
    await started.ready();
    return started;
  }

  const address = (): string => world.agent.status().listen?.address ?? "";
  const get = (path: string, port = ports.own, headers: readonly string[] = [], identity = WEB) => {
    const { chainPem, keyPem } = istio.issue(identity);
    const shown = { certificates: chainPem, privateKey: keyPem };
    return overTls({ host: "127.0.0.1", port, from: "127.0.0.1", shown }, requestBytes(path, { headers }));
  };

  it("lets through what a rule allows by labels of the registry, and the record says which sidecar asked", async () => {
    const mark = world.records.length;
    expect((await get("/orders/42?verbose=1")).status).toBe(200);
    expect(await world.decision(mark)).toMatchObject({
      workload: "shop/orders",
      verdict: "allow",
      line: "shop/orders/front-reads#GET /orders/{id:int}",
      caller: WEB,
      listenerPort: ports.own,
      listenerKind: "mesh",
      grpc: false,
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
      sidecar: ORDERS,
      sidecarAddress: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
    });
    expect(app.requests.at(-1)?.path).toBe("/orders/42?verbose=1");
  });

  it.each<[string, string, string, string]>([
    ["another path", "/orders/mine", WEB, "no-rule-matched"],
    ["another identity", "/orders/42", BILLING, "no-rule-matched"],
    ["an identity that nobody registered", "/orders/42", "spiffe://cluster.local/ns/x/sa/y", "unregistered-identity"],
    ["a slash that is encoded, which Istio lets pass", "/orders%2F42", WEB, "ambiguous-path"],
  ])("denies %s, and the app receives nothing", async (_what, path, identity, reason) => {
    const [mark, before] = [world.records.length, app.requests.length];
    const answer = await get(path, ports.own, [], identity);
    expect(await world.decision(mark)).toMatchObject({ verdict: "deny", reason });
    expect([answer.status, app.requests.length]).toEqual([403, before]);
  });

  it("believes no header of the caller about its certificate", async () => {
    const mark = world.records.length;
    const forged = [`x-cellwall-caller: ${WEB}`, "x-cellwall-peer-serial: 1", "x-forwarded-client-cert: URI=x"];
    expect((await get("/orders/42", ports.own, forged, BILLING)).status).toBe(403);
    expect(await world.decision(mark)).toMatchObject({ caller: BILLING, reason: "no-rule-matched" });
  });

  it("denies, and says why, where the sidecar shows another identity to the agent than to its callers", async () => {
    const mark = world.records.length;
    expect((await get("/orders/42", ports.another)).status).toBe(503);
    expect(await world.decision(mark)).toMatchObject({
      workload: "shop/billing",
      reason: "unknown-destination",
      detail: `the sidecar's listener shows the certificate of \`${ORDERS}\`, not this workload's`,
      sidecar: BILLING,
    });
  });

  it("answers no sidecar whose certificate Istio has not issued, and Envoy then denies", async () => {
    const untrusted = (): number => world.agent.status().listen?.refused.untrusted ?? 0;
    const [mark, before, refused] = [world.records.length, app.requests.length, untrusted()];
    expect((await get("/orders/42", ports.stranger)).status).toBe(503);
    expect(untrusted()).toBeGreaterThan(refused);
    expect([world.records.length, app.requests.length]).toEqual([mark, before]);
  });

  it("issues no certificate of its own for workloads of such a mesh, and takes none of them", async () => {
    expect(world.agent.status()).toMatchObject({ externalTrust: { source: `file ${bundlePath}`, authorities: 1 } });
    expect(world.agent.status().workloads.map(({ svid }) => svid.state)).toEqual(["none", "none", "none"]);
    const { entries } = await world.ca.ledger();
    expect(entries.filter(({ kind }) => kind === "x509-svid" || kind === "refusal")).toEqual([]);
  });

  /** Whether a sidecar with that certificate is answered. */
  async function isAnswered({ chainPem, keyPem }: TestCertificate): Promise<boolean> {
    const client = networkClient(address(), { rootPem: world.rootPem, chainPem, keyPem });
    const request = checkRequest({ caller: WEB, destination: ORDERS, http: { method: "GET", path: "/orders/42" } });
    const answer = await client.check(request).finally(() => client.close());
    return answer !== "closed" && answer.status === 0;
  }

  it("takes up a new root of Istio from its file, and lets the old one go", async () => {
    const next = istioCa(2);
    const renewed = next.issue(ORDERS);
    expect([await isAnswered(renewed), await isAnswered(orders)]).toEqual([false, true]);
    const put = (pem: string): void => {
      writeFileSync(`${bundlePath}.new`, pem);
      renameSync(`${bundlePath}.new`, bundlePath);
    };
    put(istio.rootPem + next.rootPem);
    await until(() => isAnswered(renewed), Boolean, { what: "the new root" });
    expect((await get("/orders/42")).status).toBe(200);
    put(next.rootPem);
    await until(
      () => isAnswered(orders),
      (answered) => !answered,
      { what: "the old root's end" },
    );
    // The sidecar's connection was open: it ends, and its next one is refused.
    await until(
      () => get("/orders/42"),
      ({ status }) => status === 503,
      { what: "the sidecar's denial" },
    );
    secrets.certificate("default", renewed);
    secrets.roots(ROOTS, istio.rootPem + next.rootPem);
    await until(
      () => get("/orders/42"),
      ({ status }) => status === 200,
      { what: "the sidecar's new certificate" },
    );
  });

  it("denies while the agent is away", async () => {
    const before = app.requests.length;
    await world.agent.stop();
    expect((await get("/orders/42")).status).toBe(503);
    expect(app.requests.length).toBe(before);
  });
});
