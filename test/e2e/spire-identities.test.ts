import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunningEnvoy } from "../../envoy/index.ts";
import { certificatesToPem, systemId } from "../../spiffe/index.ts";
import { createTestCa, type TestCa, type TestCertificate } from "../../spiffe/testing/index.ts";
import { type AgentWorld, startAgentWorld } from "../support/agent-world.ts";
import { http1App, type TestApp } from "../support/apps.ts";
import { freePorts } from "../support/free-ports.ts";
import { byKey, ofKey } from "../support/key-identifiers.ts";
import { meshDocuments } from "../support/mesh-documents.ts";
import { type StandInSpire, startStandInSpire } from "../support/stand-in-spire.ts";
import { overTls, requestBytes, type Shown } from "../support/straight.ts";
import { until } from "../support/until.ts";

// SPIRE issues the certificates: the generated sidecar has its own over SPIRE's socket, the agent has the bundle there.

const ORDERS = "spiffe://shop.example/shop/orders";
const WEB = "spiffe://shop.example/shop/web";
const NAME = "/C=US/O=SPIRE";
const spire = (key: number, uris: readonly string[]): TestCa =>
  createTestCa({ trustDomain: "shop.example", subject: NAME, uris: [...uris], extensions: [ofKey(key)] });
const leaf = (ca: TestCa, key: number, identity: string) =>
  ca.issue({ uris: [identity], subject: NAME, sanCritical: false, extensions: [byKey(key)] });

const policies = (port: number, app: string, socket: string): string =>
  meshDocuments({
    trustDomain: "shop.example",
    mesh: {
      identity: {
        issuer: "external",
        bundle: { workloadApi: `unix:${socket}` },
        certificates: { sds: `unix:${socket}` },
      },
    },
    nodes: { "host-7": {} },
    workloads: {
      web: {},
      orders: { runsOn: { node: "host-7" }, address: "127.0.0.1", listens: [{ port, app: `unix:${app}` }] },
    },
    policies: { orders: { allow: { "web-reads": { from: "web", requests: ["GET /orders/{id:int}"] } } } },
  });

describe("a generated sidecar whose certificate comes from SPIRE", () => {
  const first = spire(1, ["spiffe://shop.example"]);
  const upstream = spire(2, []);
  const second = upstream.intermediate({ subject: NAME, extensions: [ofKey(3), byKey(2)] });
  const ofFirst = (identity: string) => leaf(first, 1, identity);
  const ofSecond = (identity: string) => leaf(second, 3, identity);
  let world: AgentWorld;
  let api: StandInSpire;
  let app: TestApp;
  let envoy: RunningEnvoy;
  let port = 0;

  beforeAll(async () => {
    [port = 0] = await freePorts(1);
    const starting: Promise<StandInSpire>[] = [];
    world = await startAgentWorld({
      trustDomain: "shop.example",
      node: "host-7",
      policies: (folder) => {
        const socket = join(folder, "spire.sock");
        starting.push(startStandInSpire(socket, ofFirst(ORDERS).svid(), first.bundle()));
        return policies(port, join(folder, "app.sock"), socket);
      },
    });
    const [started] = await Promise.all(starting);
    if (started === undefined) throw new Error("no socket");
    api = started;
    app = await http1App(join(world.folder, "app.sock"));
    envoy = await world.startSidecar("orders");
  });
  afterAll(async () => {
    await envoy?.stop();
    api?.close();
    await app?.close();
    await world?.stop();
  });

  const get = (path: string, as: Shown) =>
    overTls({ host: "127.0.0.1", port, from: "127.0.0.1", shown: as }, requestBytes(path));
  const shown = ({ chainPem, keyPem }: TestCertificate): Shown => ({ certificates: chainPem, privateKey: keyPem });

  it("decides by SPIRE's identities and our registry", async () => {
    const mark = world.records.length;
    expect((await get("/orders/42", shown(ofFirst(WEB)))).status).toBe(200);
    expect(await world.decision(mark)).toMatchObject({ caller: WEB, reason: "allowed-by-rule" });
    const STRANGER = "spiffe://shop.example/spire/agent/x";
    for (const [identity, reason] of [
      [ORDERS, "no-rule-matched"],
      [STRANGER, "unregistered-identity"],
    ] as const) {
      expect((await get("/orders/42", shown(ofFirst(identity)))).status).toBe(403);
      expect(await world.decision(mark, ({ caller }) => caller === identity)).toMatchObject({ reason });
    }
    expect(app.requests).toHaveLength(1);
  });

  it("believes neither another authority of that name nor Cellwall's own", async () => {
    const mark = world.records.length;
    expect((await get("/orders/42", shown(leaf(spire(1, []), 1, WEB)))).status).toBeUndefined();
    const own = await world.ca.issueSystemSvid(systemId(first.trustDomain, "authority"));
    const keyPem = own.privateKey.export({ format: "pem", type: "pkcs8" }).toString();
    const answer = await get("/orders/42", { certificates: certificatesToPem(own.chain), privateKey: keyPem });
    expect(answer.status).toBeUndefined();
    const refused = { kind: "connection-refused", reason: "untrusted-certificate" };
    await until(
      () => world.records.slice(mark),
      ({ length }) => length === 2,
      { what: "the reports of both" },
    );
    expect(world.records.slice(mark)).toMatchObject([refused, refused]);
    expect(app.requests).toHaveLength(1);
  });

  it("follows SPIRE to a new root, certificates of an intermediate included, and lets the old one go", async () => {
    expect((await get("/orders/42", shown(ofSecond(WEB)))).status).toBeUndefined();
    const both = first.bundle([first.root, upstream.root]);
    api.serve(ofSecond(ORDERS).svid(), both);
    await until(
      () => get("/orders/42", shown(ofSecond(WEB))),
      ({ status }) => status === 200,
      { what: "the new root" },
    );
    expect((await get("/orders/42", shown(ofFirst(WEB)))).status).toBe(200);
    api.serve(ofSecond(ORDERS).svid(), upstream.bundle());
    await until(
      () => get("/orders/42", shown(ofFirst(WEB))),
      ({ status }) => status === undefined,
      { what: "the old root's end" },
    );
    expect((await get("/orders/42", shown(ofSecond(WEB)))).status).toBe(200);
  });
});
