import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTestCa } from "../../spiffe/testing/index.ts";
import { Secret } from "../gen/envoy/extensions/transport_sockets/tls/v3/secret.ts";
import { DiscoveryRequest, type DiscoveryResponse } from "../gen/envoy/service/discovery/v3/discovery.ts";
import { SecretDiscoveryServiceService as SDS } from "../gen/envoy/service/secret/v3/sds.ts";
import { eventually, nodeOf, type Said, SdsStream, type SocketServer, serveOnSocket } from "../testing/sds-client.ts";
import { addSecretDiscovery } from "./add-secret-discovery.ts";
import { SecretDiscovery } from "./secret-discovery.ts";
import type { SecretSnapshot } from "./secret-snapshot.ts";

const ca = createTestCa({ trustDomain: "cell.test" });
const next = createTestCa({ trustDomain: "cell.test" });
const partner = createTestCa({ trustDomain: "partner.test" });
const id = "spiffe://cell.test/shop/orders";
const svid = () => ca.issue({ uris: [id] }).svid();
const first: SecretSnapshot = {
  svid: svid(),
  trustBundles: [ca.bundle()],
  serverFirst: new Map([[5432, ["spiffe://cell.test/shop/web"]]]),
};

let discovery: SecretDiscovery;
let server: SocketServer;
let reports: number;

beforeEach(async () => {
  reports = 0;
  discovery = new SecretDiscovery({ clock: () => new Date(), random: () => "i1", listener: () => reports++ });
  server = await serveOnSocket((grpc) => addSecretDiscovery(grpc, discovery));
});
afterEach(() => server.stop());

const stream = (names: readonly string[], said?: Said) => new SdsStream(server.client(), names, said);
const content = (secret: Secret) => Buffer.from(Secret.encode(secret).finish()).toString("latin1");
const acknowledged = (count: number) =>
  eventually(`${count} acknowledged`, () => discovery.status().filter((one) => one.acknowledged).length === count);

/** Two streams, as Envoy opens them, with everything taken. */
async function sidecar() {
  discovery.setSecrets(first);
  const [leaf, all] = [stream(["default"]), stream(["ALL"])];
  await Promise.all([leaf.take(), all.take()]);
  await acknowledged(2);
  return { leaf, all };
}

/** Shows that nothing more comes: whole streams that begin later are served before anything else arrives. */
async function quiet(...streams: readonly SdsStream[]) {
  for (let round = 0; round < 3; round++) {
    const probe = stream(["ROOTCA"], { node: nodeOf("probe") });
    await probe.take();
    probe.end();
  }
  await eventually("the end of the probes", () => discovery.status().every((one) => one.node !== "probe"));
  expect(streams.map((one) => one.unread)).toEqual(streams.map(() => 0));
}

describe("a stream of secrets", () => {
  it("gets what it asks for, and its acknowledgement is on record", async () => {
    const { leaf } = await sidecar();
    expect(discovery.status()).toEqual([
      { node: "shop/orders", name: "default", version: leaf.version, acknowledged: true },
      { node: "shop/orders", name: "ALL", version: expect.any(String), acknowledged: true },
    ]);
    expect(reports).toBe(4);
  });

  it("gets only what changed (S-13, S-19b)", async () => {
    const { leaf, all } = await sidecar();
    discovery.setSecrets({ ...first, svid: svid() });
    await leaf.take();
    await quiet(leaf, all);
    discovery.setSecrets({ ...first, trustBundles: [ca.bundle([ca.root, next.root])], svid: first.svid });
    await Promise.all([all.take(), leaf.take()]);
    await quiet(leaf, all);
  });

  it("gets nothing for a snapshot that is the same, and the same version on another stream (S-19d)", async () => {
    const { leaf, all } = await sidecar();
    discovery.setSecrets({ ...first });
    await quiet(leaf, all);
    const again = stream(["default"], { node: nodeOf("shop/orders-2") });
    expect((await again.next()).versionInfo).toBe(leaf.version);
  });

  it("stays open for a name that is not known, and gets it when it is (S-20, S-21)", async () => {
    discovery.setSecrets({ svid: undefined, trustBundles: [ca.bundle()], serverFirst: new Map() });
    const open = stream(["default", "file-root:system", "tcp/5432"]);
    await eventually("the subscription", () => discovery.status().length === 3);
    expect(discovery.status().map((one) => [one.version, one.acknowledged])).toEqual([
      [undefined, false],
      [undefined, false],
      [undefined, false],
    ]);
    discovery.setSecrets(first);
    expect([(await open.take()).name, (await open.take()).name].sort()).toEqual(["default", "tcp/5432"]);
    expect(open.ended).toBe("no");
  });

  it("can hold several names of the same trust, and new ones get only themselves (S-22)", async () => {
    discovery.setSecrets(first);
    const many = stream(["ALL", "ROOTCA"]);
    const got = [await many.next(), await many.next()];
    for (const response of got) many.acknowledge(response);
    const last = got[1]?.nonce ?? "";
    many.say({ versionInfo: got[1]?.versionInfo ?? "", responseNonce: last }, ["ALL", "ROOTCA", "spiffe://cell.test"]);
    expect((await many.next()).resources).toHaveLength(1);
    expect(many.unread).toBe(0);
  });

  it("is subscribed to nothing after it cleared its names, and to everything if it never gave any (S-23)", async () => {
    discovery.setSecrets(first);
    const wild = stream([]);
    const names: string[] = [];
    for (let i = 0; i < 6; i++) names.push((await wild.take()).name);
    expect(names.sort()).toEqual(["ALL", "ROOTCA", "default", "spiffe://cell.test", id, "tcp/5432"].sort());
    const one = stream(["default"], { node: nodeOf("one") });
    const response = await one.next();
    one.say({ versionInfo: response.versionInfo, responseNonce: response.nonce }, []);
    await eventually("no names", () => discovery.status().every((status) => status.node !== "one"));
    discovery.setSecrets({ ...first, svid: svid() });
    await quiet(one);
  });

  it("gets its secrets anew when it asks again with nothing outstanding", async () => {
    const { leaf } = await sidecar();
    const last = leaf.responses.at(-1);
    leaf.say({ versionInfo: leaf.version, responseNonce: last?.nonce ?? "" });
    expect((await leaf.next()).versionInfo).toBe(leaf.version);
  });

  it("is not answered for a stale nonce or another resource type (S-18)", async () => {
    const { leaf, all } = await sidecar();
    leaf.say({ responseNonce: "i0.9.9" });
    leaf.say({ responseNonce: "" });
    leaf.say({ typeUrl: "type.googleapis.com/envoy.config.cluster.v3.Cluster", responseNonce: "" });
    stream(["default"], { typeUrl: "type.googleapis.com/envoy.config.listener.v3.Listener" });
    await quiet(leaf, all);
    expect(leaf.ended).toBe("no");
  });

  it("that comes back is sent everything, whatever nonce and version it brings", async () => {
    const { leaf } = await sidecar();
    leaf.end();
    await eventually("its end", () => discovery.status().length === 1);
    const back = stream(["default"], { versionInfo: leaf.version, responseNonce: "i1.1.1" });
    const response = await back.next();
    expect(response.versionInfo).toBe(leaf.version);
    back.acknowledge(response);
    await acknowledged(2);
  });

  it("that comes back with another version gets bytes it cannot have rejected before", async () => {
    discovery.setSecrets(first);
    const plain = await stream(["ALL"]).take();
    const back = await stream(["ALL"], { versionInfo: "of-an-agent-before", node: nodeOf("other") }).take();
    expect(content(back)).not.toBe(content(plain));
    expect(content(back)).toContain("# i1.1\n");
  });

  it("does not count what was superseded as acknowledged", async () => {
    const { leaf } = await sidecar();
    discovery.setSecrets({ ...first, svid: svid() });
    discovery.setSecrets({ ...first, svid: svid() });
    const [older, newer] = [await leaf.next(), await leaf.next()];
    leaf.acknowledge(older);
    await quiet(leaf);
    expect(discovery.status()[0]?.acknowledged).toBe(false);
    leaf.acknowledge(newer);
    await acknowledged(2);
  });
});

describe("secrets that are not sound", () => {
  it("are refused, and the old ones stay", async () => {
    const { leaf, all } = await sidecar();
    const before = discovery.status();
    expect(() => discovery.setSecrets({ ...first, trustBundles: [next.bundle()] })).toThrow(/does not verify/);
    expect(() => discovery.setSecrets({ ...first, trustBundles: [] })).toThrow(/trust bundle/);
    await quiet(leaf, all);
    expect(discovery.status()).toEqual(before);
  });

  it("do not keep a caller in who may no longer open a server-first port", async () => {
    discovery.setSecrets(first);
    const callers = stream(["tcp/5432"]);
    expect(content(await callers.take())).toContain("spiffe://cell.test/shop/web");
    expect(() =>
      discovery.setSecrets({ ...first, trustBundles: [next.bundle()], serverFirst: new Map([[5432, []]]) }),
    ).toThrow();
    const after = content(await callers.take());
    expect(after).not.toContain("spiffe://cell.test/shop/web");
    expect(after).toContain("urn:cellwall:nobody");
  });
});

describe("trust that is gone", () => {
  it("is replaced by an anchor that admits nobody, never by nothing (P-3)", async () => {
    discovery.setSecrets({ ...first, trustBundles: [ca.bundle(), partner.bundle()] });
    const [domain, port, all] = [stream(["spiffe://partner.test"]), stream(["tcp/5432"]), stream(["ALL"])];
    await Promise.all([domain.take(), port.take(), all.take()]);
    discovery.setSecrets({ ...first, serverFirst: new Map() });
    for (const gone of [domain, port]) {
      const secret = content(await gone.take());
      expect(secret).toContain("nobody.invalid");
      expect(secret).toContain("urn:cellwall:nobody");
    }
    expect(content(await all.take())).not.toContain("partner.test");
    discovery.setSecrets(first);
    expect(content(await port.take())).toContain("spiffe://cell.test/shop/web");
  });

  it("takes no key along: a leaf that is gone is withheld from new streams", async () => {
    await sidecar();
    discovery.setSecrets({ ...first, svid: undefined });
    const late = stream(["default"]);
    await quiet(late);
  });
});

describe("after a rejection", () => {
  it("the sidecar has acknowledged nothing, until everything was sent again in new bytes and taken", async () => {
    const { leaf, all } = await sidecar();
    discovery.setSecrets({ ...first, svid: svid() });
    await leaf.reject("KEY_VALUES_MISMATCH");
    await eventually("the rejection", () => discovery.status()[0]?.nacked === "KEY_VALUES_MISMATCH");
    expect(discovery.status().map((one) => one.acknowledged)).toEqual([false, false]);

    // The good bundle is rejected for the bad leaf's sake.
    discovery.setSecrets({ ...first, trustBundles: [ca.bundle([ca.root, next.root])] });
    const rejected = await all.reject("KEY_VALUES_MISMATCH");
    const mended = await leaf.take();

    const [replayed, leafAgain] = [await all.next(), await leaf.next()];
    expect(content(Secret.decode(replayed.resources[0]?.value ?? new Uint8Array(0)))).not.toBe(content(rejected));
    expect(content(Secret.decode(leafAgain.resources[0]?.value ?? new Uint8Array(0)))).not.toBe(content(mended));
    all.acknowledge(replayed);
    await quiet(leaf, all);
    expect(discovery.status().map((one) => one.acknowledged)).toEqual([false, false]);
    leaf.acknowledge(leafAgain);
    await acknowledged(2);
    expect(discovery.status().every((one) => one.nacked === undefined)).toBe(true);
    await quiet(leaf, all);
  });

  it("another node's record is its own", async () => {
    const { leaf } = await sidecar();
    const elsewhere = stream(["ALL"], { node: nodeOf("shop/orders-2") });
    await elsewhere.take();
    discovery.setSecrets({ ...first, svid: svid() });
    await leaf.reject("no");
    await eventually("the rejection", () => discovery.status().some((one) => one.nacked !== undefined));
    const other = discovery.status().find((one) => one.node === "shop/orders-2");
    expect(other?.acknowledged).toBe(true);
    await quiet(elsewhere);
  });

  it("a sidecar that never agrees starts no loop", async () => {
    const { leaf, all } = await sidecar();
    discovery.setSecrets({ ...first, svid: svid(), trustBundles: [ca.bundle([ca.root, next.root])] });
    const rejectAlways = async () => {
      for (;;) await leaf.reject("never");
    };
    const takeAlways = async () => {
      for (;;) await all.take();
    };
    void rejectAlways().catch(() => undefined);
    await eventually("a rejection", () => discovery.status().some((one) => one.nacked !== undefined));
    void takeAlways().catch(() => undefined);
    await eventually("three replays", () => leaf.responses.length === 5 && all.responses.length === 5);
    const probe = stream(["ROOTCA"], { node: nodeOf("probe") });
    await probe.take();
    expect([leaf.responses.length, all.responses.length]).toEqual([5, 5]);
    expect(discovery.status().filter((one) => one.node === "shop/orders" && one.acknowledged)).toEqual([]);
  });

  it("a rejection that comes late still ends in a clean state", async () => {
    const { leaf, all } = await sidecar();
    discovery.setSecrets({ ...first, svid: svid() });
    await leaf.reject("bad leaf");
    discovery.setSecrets({ ...first, trustBundles: [ca.bundle([ca.root, next.root])] });
    const late = await all.next();
    await leaf.take();
    const replayed = await all.next();
    all.refuse(late, "bad leaf");
    all.acknowledge(replayed);
    const keep = async (one: SdsStream) => {
      for (;;) await one.take();
    };
    void keep(leaf).catch(() => undefined);
    void keep(all).catch(() => undefined);
    await acknowledged(2);
  });
});

describe("FetchSecrets", () => {
  const fetch = (names: readonly string[], typeUrl = "") =>
    new Promise<DiscoveryResponse>((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = SDS.fetchSecrets;
      const request = DiscoveryRequest.fromPartial({ resourceNames: [...names], typeUrl });
      server
        .client()
        .makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, response) =>
          error === null && response !== undefined ? resolve(response) : reject(error),
        );
    });

  it("answers with the secrets named, all of them where none is, and not for another type", async () => {
    discovery.setSecrets(first);
    expect((await fetch(["default", "default", "nope"])).resources).toHaveLength(1);
    expect((await fetch([])).resources).toHaveLength(6);
    expect((await fetch(["ALL"])).versionInfo).toBe((await fetch(["ALL"])).versionInfo);
    await expect(fetch(["ALL"], "type.googleapis.com/envoy.config.cluster.v3.Cluster")).rejects.toThrow(
      /INVALID_ARGUMENT/,
    );
  });
});
