import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { SecretDiscovery, type SecretSnapshot } from "../../envoy/index.ts";
import { createTestCa } from "../../spiffe/testing/index.ts";
import { waitFor } from "../support/until.ts";
import { converse, tlsTo } from "./clients.ts";
import { ORDERS, type SecretRig, secretRig } from "./secret-rig.ts";

const before = createTestCa({ trustDomain: "shop.example" });
// Of another name: of two authorities with one name and no key identifiers, only one is looked at.
const after = createTestCa({ trustDomain: "shop.example", subject: "After" });
const foreign = createTestCa({ trustDomain: "other.example" });
const web = (ca: typeof before) => ca.issue({ uris: ["spiffe://shop.example/shop/web"] });
const [oldWeb, newWeb] = [web(before), web(after)];

let rig: SecretRig;
afterAll(() => rig?.stop());

async function begin(form: "GRPC" | "DELTA_GRPC"): Promise<void> {
  await rig?.stop();
  rig = await secretRig(new SecretDiscovery({ clock: () => new Date() }), form);
  rig.secrets.setSecrets(snapshot({}));
  await rig.start();
}

function snapshot(change: Partial<SecretSnapshot>): SecretSnapshot {
  return {
    svid: before.issue({ uris: [ORDERS] }).svid(),
    trustBundles: [before.bundle()],
    serverFirst: new Map([[rig.ports.serverFirst, ["spiffe://shop.example/shop/web"]]]),
    ...change,
  };
}

async function whoIsIn() {
  const { admitted, ports } = rig;
  return {
    old: [await admitted(ports.one, oldWeb), await admitted(ports.two, oldWeb)],
    new: [await admitted(ports.one, newWeb), await admitted(ports.two, newWeb)],
  };
}
const allAcknowledged = () => {
  const status = rig.secrets.status();
  return status.length === 3 && status.every((one) => one.acknowledged);
};

describe.each(["DELTA_GRPC", "GRPC"] as const)("by %s", (form) => {
  beforeAll(() => begin(form));

  it("a rejected leaf keeps no removed root alive: everything is sent again, and taken in every place", async () => {
    const { refusals, secrets } = rig;
    await waitFor("the first secrets", allAcknowledged);
    expect(await whoIsIn()).toEqual({ old: [true, true], new: [false, false] });

    rig.spoil = true;
    secrets.setSecrets(snapshot({}));
    const rejected = await waitFor("a rejection", () => secrets.status().find((one) => one.nacked !== undefined));
    expect(rejected.nacked).toContain("KEY_VALUES_MISMATCH");
    expect(secrets.status().some((one) => one.acknowledged)).toBe(false);

    rig.spoil = false;
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

  it("a root joins, and leaves again", async () => {
    const { secrets } = rig;
    const svid = after.issue({ uris: [ORDERS] }).svid();
    secrets.setSecrets(snapshot({ svid, trustBundles: [after.bundle([after.root, before.root])] }));
    await waitFor("both roots", allAcknowledged);
    expect(await whoIsIn()).toEqual({ old: [true, true], new: [true, true] });
    secrets.setSecrets(snapshot({ svid, trustBundles: [after.bundle()] }));
    await waitFor("one root", allAcknowledged);
    expect(await whoIsIn()).toEqual({ old: [false, false], new: [true, true] });
    await waitFor("the reports of the two refused handshakes", () => rig.refusals.length === 8);
  });
});

describe("what the sidecar refuses", () => {
  beforeEach(() => {
    rig.refusals.length = 0;
  });
  const here = { peerAddress: "127.0.0.1" };
  const refused = async (port: number) =>
    waitFor("a report", () => rig.refusals.find((one) => one.listenerPort === port));

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
    expect(await rig.admitted(rig.ports.one, identity)).toBe(false);
    expect(await refused(rig.ports.one)).toMatchObject({ kind: "connection", ...here, ...expected });
  });

  it("for a caller that a server-first port does not name is a san mismatch", async () => {
    const intruder = after.issue({ uris: ["spiffe://shop.example/shop/intruder"] });
    const { text } = await converse(tlsTo(rig.ports.serverFirst, intruder, []), "");
    expect(text).toBe("");
    expect(await refused(rig.ports.serverFirst)).toMatchObject({
      reason: "san-mismatch",
      unverifiedPeer: "spiffe://shop.example/shop/intruder",
    });
  });

  it("for plaintext is plaintext, and for an old version the protocol", async () => {
    await converse(connect(rig.ports.one, "127.0.0.1"), "GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    expect(await refused(rig.ports.one)).toMatchObject({ reason: "plaintext" });
    const old = connectTls({
      host: "127.0.0.1",
      port: rig.ports.two,
      maxVersion: "TLSv1.2",
      rejectUnauthorized: false,
    });
    await converse(old, "");
    expect(await refused(rig.ports.two)).toMatchObject({ reason: "protocol" });
  });

  it("for a path that cannot be read is a request of a verified caller", async () => {
    const request = "GET /a%2Fb?token=x HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
    await converse(tlsTo(rig.ports.one, newWeb), request);
    const refusal = await refused(rig.ports.one);
    expect(refusal).toMatchObject({ kind: "request", reason: "path_normalization_failed", status: 400, ...here });
    if (refusal.kind !== "request") return;
    expect([refusal.method, `${refusal.caller}`]).toEqual(["GET", "spiffe://shop.example/shop/web"]);
    expect(refusal.path ?? "").not.toContain("token");
    expect(rig.intake.counts).toMatchObject({ foreign: 0, failed: 0 });
  });
});
