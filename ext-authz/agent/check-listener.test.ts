import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { afterEach, describe, expect, it } from "vitest";
import { verifyX509Svid, type X509Svid } from "../../spiffe/index.ts";
import { createTestCa, type TestCertificate } from "../../spiffe/testing/index.ts";
import { createCheckHandler } from "../check-handler.ts";
import type { Observed } from "../decision-record.ts";
import { PolicyState } from "../policy-state.ts";
import { until } from "../testing/capture.ts";
import { checkRequest } from "../testing/check-request.ts";
import { type NetworkClient, networkClient } from "../testing/network-client.ts";
import { ORDERS, policySet, WEB } from "../testing/signed-mesh.ts";
import { type CheckListener, type ConnectionResult, startCheckListener } from "./check-listener.ts";

const ca = createTestCa({ trustDomain: "shop.example" });
const foreign = createTestCa({ trustDomain: "shop.example" });
const agentOf = (serial: string): TestCertificate =>
  ca.issue({ uris: ["spiffe://shop.example/cellwall/agent/host-7"], serial });
const orders = ca.intermediate().issue({ uris: [ORDERS] });

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

/** A listener that serves `orders`, and what it says and observes. */
async function start() {
  const state = new PolicyState(0);
  const expiresAt = new Date(Date.now() + 60_000);
  const destinations = [WEB, ORDERS];
  state.use(policySet(), { epoch: 1, revision: 1, issuedAt: new Date(), expiresAt, destinations, source: "disk" });
  const seen = { observed: [] as Observed[], results: [] as ConnectionResult[] };
  const world: { shown: X509Svid | undefined; now: Date; revoked: boolean } = {
    shown: agentOf("a1").svid(),
    now: new Date(),
    revoked: false,
  };
  const handler = createCheckHandler({
    workload: "shop/orders",
    destination: orders.svid().id,
    view: () => state.view,
    nowMs: () => Date.now(),
    observe: (observed) => seen.observed.push(observed),
  });
  const listener = await startCheckListener({
    host: "127.0.0.1",
    port: 0,
    identity: () => world.shown,
    now: () => world.now,
    judge: (chain) => {
      const verified = verifyX509Svid(chain, ca.bundle(), { at: world.now });
      if (!verified.ok) return { ok: false, result: "untrusted", message: verified.message };
      if (world.revoked) return { ok: false, result: "revoked", message: "revoked" };
      return { ok: true, identity: verified.id.toString(), notAfter: new Date(verified.leaf.validTo) };
    },
    handlerOf: () => handler,
    connected: (result) => seen.results.push(result),
  });
  closers.push(() => listener.close());
  return { listener, seen, world };
}

function client(listener: CheckListener, shown?: TestCertificate): NetworkClient {
  const own = shown === undefined ? {} : { chainPem: shown.chainPem, keyPem: shown.keyPem };
  const opened = networkClient(listener.address, { rootPem: ca.rootPem, ...own });
  closers.push(() => opened.close());
  return opened;
}

const get = (destination: string) =>
  checkRequest({ caller: WEB, destination, http: { method: "GET", path: "/orders" } });

/** Serial of the certificate that the listener shows to a new connection. */
function shownSerial(listener: CheckListener): Promise<string> {
  const { hostname, port } = new URL(listener.address);
  return new Promise((resolve, reject) => {
    const options = { host: hostname, port: Number(port), rejectUnauthorized: false, ALPNProtocols: ["h2"] };
    const socket = connectTls({ ...options, cert: orders.chainPem, key: orders.keyPem }, () => {
      resolve(socket.getPeerCertificate().serialNumber.toLowerCase());
      socket.destroy();
    });
    socket.once("error", reject);
  });
}

describe("checks over the network", () => {
  it("are answered to a sidecar with a certificate of the mesh, and the record says which", async () => {
    const { listener, seen } = await start();
    expect(await client(listener, orders).check(get(ORDERS))).toMatchObject({ status: 0 });
    expect(seen.observed[0]).toMatchObject({
      workload: "shop/orders",
      from: { identity: ORDERS, address: expect.stringMatching(/^127\.0\.0\.1:\d+$/) },
    });
    expect([seen.results, listener.connections]).toEqual([["accepted"], 1]);
  });

  it("are denied, and the reason says so, where the listener shows another certificate than the client's", async () => {
    const { listener, seen } = await start();
    const answer = await client(listener, orders).check(get("spiffe://shop.example/shop/billing"));
    expect(answer).toMatchObject({ status: 14, httpStatus: 503, reason: "unknown-destination" });
    expect(seen.observed[0]?.decision.detail).toContain("`spiffe://shop.example/shop/billing`");
  });

  it.each<[string, TestCertificate | undefined, ConnectionResult]>([
    ["no certificate", undefined, "no-certificate"],
    ["a certificate of another authority", foreign.issue({ uris: [ORDERS] }), "untrusted"],
    ["a certificate without an identity", ca.issue({ uris: [], dns: ["orders.shop"] }), "untrusted"],
    ["a dns name that is spelt like an identity", ca.issue({ uris: [], dns: [ORDERS] }), "untrusted"],
    ["two identities", ca.issue({ uris: [ORDERS, WEB] }), "untrusted"],
    [
      "a certificate that has run out",
      ca.issue({ uris: [ORDERS], notAfter: new Date(Date.now() - 1000) }),
      "untrusted",
    ],
  ])("are not answered to a client with %s", async (_what, shown, result) => {
    const { listener, seen } = await start();
    expect(await client(listener, shown).check(get(ORDERS))).toBe("closed");
    expect([seen.results[0], seen.observed, listener.connections]).toEqual([result, [], 0]);
  });

  it("need TLS 1.3", async () => {
    const { listener, seen } = await start();
    const { hostname, port } = new URL(listener.address);
    const error = await new Promise((resolve) => {
      const own = { cert: orders.chainPem, key: orders.keyPem, rejectUnauthorized: false };
      connectTls({ host: hostname, port: Number(port), maxVersion: "TLSv1.2", ...own }).once("error", resolve);
    });
    expect(String(error)).toMatch(/protocol version/i);
    const plain = connect(Number(port), hostname);
    plain.on("error", () => {}).write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    await until("both refusals", () => seen.results.length === 2);
    expect(seen.results).toEqual(["handshake-failed", "handshake-failed"]);
  });

  it("are answered to nobody while the agent has no certificate, and again when it has", async () => {
    const { listener, world } = await start();
    const open = client(listener, orders);
    expect(await open.check(get(ORDERS))).toMatchObject({ status: 0 });
    const { shown } = world;
    world.shown = undefined;
    listener.refresh();
    await until("its connections have ended", () => listener.connections === 0);
    expect(await client(listener, orders).check(get(ORDERS))).toBe("closed");
    world.shown = shown;
    listener.refresh();
    expect(await client(listener, orders).check(get(ORDERS))).toMatchObject({ status: 0 });
  });

  it("go on over a new certificate of the agent, on open connections and on new ones", async () => {
    const { listener, world } = await start();
    const open = client(listener, orders);
    expect(await open.check(get(ORDERS))).toMatchObject({ status: 0 });
    expect(await shownSerial(listener)).toBe("a1");
    world.shown = agentOf("b2").svid();
    listener.refresh();
    expect(await shownSerial(listener)).toBe("b2");
    expect([await open.check(get(ORDERS)), listener.connections]).toEqual([expect.objectContaining({ status: 0 }), 1]);
  });

  it("end with the client's certificate, and with its revocation, on an open connection", async () => {
    const { listener, seen, world } = await start();
    const open = client(listener, orders);
    expect(await open.check(get(ORDERS))).toMatchObject({ status: 0 });
    world.now = new Date(Date.now() + 2 * 3_600_000);
    listener.refresh();
    await until("the connection has ended", () => listener.connections === 0);
    world.now = new Date();
    expect(await client(listener, orders).check(get(ORDERS))).toMatchObject({ status: 0 });
    world.revoked = true;
    listener.reconsider();
    await until("the connection has ended", () => listener.connections === 0);
    expect(await client(listener, orders).check(get(ORDERS))).toBe("closed");
    expect(seen.results.at(-1)).toBe("revoked");
  });

  it("say where they cannot be served", async () => {
    const { listener } = await start();
    const port = Number(new URL(listener.address).port);
    const second = startCheckListener({
      host: "127.0.0.1",
      port,
      identity: () => undefined,
      now: () => new Date(),
      judge: () => ({ ok: false, result: "untrusted", message: "" }),
      handlerOf: () => () => Buffer.alloc(0),
      connected: () => {},
    });
    await expect(second).rejects.toMatchObject({ code: "ERR_AGENT_LISTEN" });
  });
});
