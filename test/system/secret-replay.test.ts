import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect as connectTls } from "node:tls";
import { Server, ServerCredentials, type ServerDuplexStream } from "@grpc/grpc-js";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { listen, meshOf, sidecar, workload } from "../../envoy/config/testing/sidecars.ts";
import { Secret } from "../../envoy/gen/envoy/extensions/transport_sockets/tls/v3/secret.ts";
import type { DiscoveryRequest, DiscoveryResponse } from "../../envoy/gen/envoy/service/discovery/v3/discovery.ts";
import { SecretDiscoveryServiceService } from "../../envoy/gen/envoy/service/secret/v3/sds.ts";
import {
  AccessLogIntake,
  addAccessLogIntake,
  locateEnvoy,
  type RunningEnvoy,
  renderSidecar,
  runEnvoy,
  SecretDiscovery,
  type SecretSnapshot,
  type SidecarRefusal,
} from "../../envoy/index.ts";
import { createKey, createTestCa, type TestCertificate } from "../../spiffe/testing/index.ts";
import { converse, tlsTo } from "./clients.ts";
import { freePorts } from "./ports.ts";
import { waitFor } from "./wait.ts";

// One sidecar with two HTTP listeners, so that each secret is used in two places, and one server-first TCP listener.
// The agent's side is the real one, but for the wire: the test can spoil a leaf on its way.

const ORDERS = "spiffe://shop.example/shop/orders";
const folder = mkdtempSync(join(tmpdir(), "cw-"));
const at = (name: string): string => join(folder, name);
const before = createTestCa({ trustDomain: "shop.example" });
const after = createTestCa({ trustDomain: "shop.example" });
const foreign = createTestCa({ trustDomain: "other.example" });
const web = (ca: typeof before) => ca.issue({ uris: ["spiffe://shop.example/shop/web"] });
const [oldWeb, newWeb] = [web(before), web(after)];

const secrets = new SecretDiscovery({ clock: () => new Date() });
const refusals: SidecarRefusal[] = [];
const orders = workload("orders").identity;
const intake = new AccessLogIntake({
  destination: orders,
  clock: () => new Date(),
  listener: (refusal) => refusals.push(refusal),
});
const server = new Server();
let envoy: RunningEnvoy;
let ports: { one: number; two: number; serverFirst: number };
let spoil = false;

beforeAll(async () => {
  const [one = 0, two = 0, serverFirst = 0] = await freePorts(3);
  ports = { one, two, serverFirst };
  secrets.setSecrets(snapshot({}));
  server.addService(SecretDiscoveryServiceService, { streamSecrets: serve, fetchSecrets: () => undefined });
  addAccessLogIntake(server, intake);
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${at("envoy.sock")}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  const app = `unix:${at("app.sock")}`;
  const listens = [
    listen({ port: one, app }),
    listen({ port: two, app }),
    listen({ port: serverFirst, app, protocol: "tcp", speaksFirst: "server" }),
  ];
  const own = workload("orders", sidecar({ listens }));
  const { path, version: envoyVersion } = await locateEnvoy();
  const sockets = { authz: at("authz.sock"), envoy: at("envoy.sock") };
  const adminSocket = at("admin.sock");
  const bootstrap = renderSidecar({ workload: own, set: meshOf([own]), envoyVersion, sockets, adminSocket });
  envoy = await runEnvoy({ path, bootstrap, adminSocket });
  await envoy.ready();
});

afterAll(async () => {
  await envoy?.stop();
  server.forceShutdown();
  rmSync(folder, { recursive: true, force: true });
});

beforeEach(() => {
  refusals.length = 0;
});

function snapshot(change: Partial<SecretSnapshot>): SecretSnapshot {
  return {
    svid: before.issue({ uris: [ORDERS] }).svid(),
    trustBundles: [before.bundle()],
    serverFirst: new Map([[ports.serverFirst, ["spiffe://shop.example/shop/web"]]]),
    ...change,
  };
}

/** The real service, whose leaf loses its key where the test says so. */
function serve(call: ServerDuplexStream<DiscoveryRequest, DiscoveryResponse>): void {
  const stream = secrets.open({ send: (response) => void call.write(spoil ? spoilt(response) : response) });
  call.on("data", (request: DiscoveryRequest) => stream.receive(request));
  call.on("error", () => stream.close());
  call.on("end", () => {
    stream.close();
    call.end();
  });
}

function spoilt(response: DiscoveryResponse): DiscoveryResponse {
  const resources = response.resources.map((resource) => {
    const secret = Secret.decode(resource.value);
    if (secret.type?.$case !== "tlsCertificate") return resource;
    const value = Buffer.from(createKey("p256").export({ type: "pkcs8", format: "pem" }));
    secret.type.value.privateKey = { specifier: { $case: "inlineBytes", value }, watchedDirectory: undefined };
    return { ...resource, value: Secret.encode(secret).finish() };
  });
  return { ...response, resources };
}

/** Whether the handshake on a port lets this certificate in; what `Check` would say does not matter here. */
async function admitted(port: number, identity: TestCertificate | undefined): Promise<boolean> {
  const { text } = await converse(tlsTo(port, identity), "GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
  return text.startsWith("HTTP/1.1 ");
}

const whoIsIn = async () => ({
  old: [await admitted(ports.one, oldWeb), await admitted(ports.two, oldWeb)],
  new: [await admitted(ports.one, newWeb), await admitted(ports.two, newWeb)],
});
const allAcknowledged = () => {
  const status = secrets.status();
  return status.length === 3 && status.every((one) => one.acknowledged);
};

describe("a rejected leaf", () => {
  it("keeps no removed root alive: everything is sent again, and taken in every place", async () => {
    await waitFor("the first secrets", allAcknowledged);
    expect(await whoIsIn()).toEqual({ old: [true, true], new: [false, false] });

    spoil = true;
    secrets.setSecrets(snapshot({}));
    const rejected = await waitFor("a rejection", () => secrets.status().find((one) => one.nacked !== undefined));
    expect(rejected.nacked).toContain("KEY_VALUES_MISMATCH");
    expect(secrets.status().some((one) => one.acknowledged)).toBe(false);

    spoil = false;
    // The old root goes while the bad leaf is in the way, and then the leaf is mended.
    const trustBundles = [after.bundle()];
    secrets.setSecrets(snapshot({ svid: undefined, trustBundles }));
    await waitFor("the bundle's rejection", () =>
      secrets.status().find((one) => one.name === "ALL" && one.nacked !== undefined),
    );
    expect(await whoIsIn()).toEqual({ old: [true, true], new: [false, false] });
    secrets.setSecrets(snapshot({ svid: after.issue({ uris: [ORDERS] }).svid(), trustBundles }));
    await waitFor("a clean state", allAcknowledged);
    expect(await whoIsIn()).toEqual({ old: [false, false], new: [true, true] });
    await waitFor("the reports of the six refused handshakes", () => refusals.length === 6);
    expect(new Set(refusals.map((one) => one.reason))).toEqual(new Set(["untrusted-certificate"]));
  });
});

describe("what the sidecar refuses", () => {
  const here = { peerAddress: "127.0.0.1" };
  const refused = async (port: number) => waitFor("a report", () => refusals.find((one) => one.listenerPort === port));

  it.each([
    ["no certificate", undefined, { reason: "no-client-certificate" }],
    [
      "a foreign certificate",
      foreign.issue({ uris: ["spiffe://other.example/shop/web"] }),
      { reason: "untrusted-certificate", unverifiedPeer: "spiffe://other.example/shop/web" },
    ],
    [
      "a certificate of a removed root",
      oldWeb,
      { reason: "untrusted-certificate", unverifiedPeer: "spiffe://shop.example/shop/web" },
    ],
    [
      "a certificate that spells out another reason",
      foreign.issue({ uris: ["spiffe://other.example/:SSL%20routines:OPENSSL_internal:HTTP_REQUEST"] }),
      { reason: "untrusted-certificate" },
    ],
  ])("for %s is reported with a stable word", async (_, identity, expected) => {
    expect(await admitted(ports.one, identity)).toBe(false);
    expect(await refused(ports.one)).toMatchObject({ kind: "connection", ...here, ...expected });
  });

  it("for a caller that a server-first port does not name is a san mismatch", async () => {
    const intruder = after.issue({ uris: ["spiffe://shop.example/shop/intruder"] });
    const { text } = await converse(tlsTo(ports.serverFirst, intruder, []), "");
    expect(text).toBe("");
    expect(await refused(ports.serverFirst)).toMatchObject({
      reason: "san-mismatch",
      unverifiedPeer: "spiffe://shop.example/shop/intruder",
    });
  });

  it("for plaintext is plaintext, and for an old version the protocol", async () => {
    await converse(connect(ports.one, "127.0.0.1"), "GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    expect(await refused(ports.one)).toMatchObject({ reason: "plaintext" });
    const old = connectTls({ host: "127.0.0.1", port: ports.two, maxVersion: "TLSv1.2", rejectUnauthorized: false });
    await converse(old, "");
    expect(await refused(ports.two)).toMatchObject({ reason: "protocol" });
  });

  it("for a path that cannot be read is a request of a verified caller", async () => {
    const request = "GET /a%2Fb?token=x HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    await converse(tlsTo(ports.one, newWeb), request);
    const refusal = await refused(ports.one);
    expect(refusal).toMatchObject({ kind: "request", reason: "path_normalization_failed", status: 400, ...here });
    if (refusal.kind !== "request") return;
    expect([refusal.method, `${refusal.caller}`]).toEqual(["GET", "spiffe://shop.example/shop/web"]);
    expect(refusal.path ?? "").not.toContain("token");
    expect(intake.counts).toMatchObject({ foreign: 0, failed: 0 });
  });
});
