import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createTestCa } from "../../spiffe/testing/index.ts";
import { Secret } from "../gen/envoy/extensions/transport_sockets/tls/v3/secret.ts";
import { type DeltaSaid, DeltaSdsStream } from "../testing/delta-sds-client.ts";
import { eventually, nodeOf, type SocketServer, serveOnSocket } from "../testing/sds-client.ts";
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
  trustBundles: [ca.bundle(), partner.bundle()],
  serverFirst: new Map([[5432, ["spiffe://cell.test/shop/web"]]]),
};
const rotated = { ...first, trustBundles: [ca.bundle([ca.root, next.root]), partner.bundle()] };

let discovery: SecretDiscovery;
let server: SocketServer;
beforeEach(async () => {
  discovery = new SecretDiscovery({ clock: () => new Date(), random: () => "i1" });
  server = await serveOnSocket((grpc) => addSecretDiscovery(grpc, discovery));
});
afterEach(() => server.stop());

const stream = (names: readonly string[], said?: DeltaSaid) => new DeltaSdsStream(server.client(), names, said);
const content = (secret: Secret) => Buffer.from(Secret.encode(secret).finish()).toString("latin1");
const states = () => discovery.status().map(({ name, acknowledged }) => [name, acknowledged]);

/** Shows that nothing more comes: a whole stream that begins later is served before. */
async function quiet(...streams: readonly DeltaSdsStream[]) {
  for (let round = 0; round < 2; round++) {
    const probe = stream(["ROOTCA"], { node: nodeOf("probe") });
    await probe.take();
    probe.end();
  }
  expect(streams.map((one) => one.unread)).toEqual(streams.map(() => 0));
}

describe("a delta stream of secrets", () => {
  it("gets each name in a resource of its own, and its acknowledgements are on record", async () => {
    discovery.setSecrets(first);
    const both = stream(["default", "ALL", "file-root:system"]);
    const got = [await both.take(), await both.take()];
    expect(got.map(({ name }) => name).sort()).toEqual(["ALL", "default"]);
    await eventually("both acknowledged", () => states().filter(([, taken]) => taken).length === 2);
  });

  it("D-1: gets only what changed, under the version that any other stream has", async () => {
    discovery.setSecrets(first);
    const many = stream(["default", "ALL", "ROOTCA"]);
    for (let count = 0; count < 3; count++) await many.take();
    discovery.setSecrets({ ...first, svid: svid() });
    const leaf = await many.take();
    expect(leaf.name).toBe("default");
    const other = await stream(["default"], { node: nodeOf("other") }).take();
    expect(other.version).toBe(leaf.version);
    await quiet(many);
  });

  it("subscribes and unsubscribes whenever it likes, and gets again what it asks for again", async () => {
    discovery.setSecrets(first);
    const many = stream(["default"]);
    await many.take();
    many.say({ resourceNamesSubscribe: ["ALL"] });
    expect((await many.take()).name).toBe("ALL");
    many.say({ resourceNamesUnsubscribe: ["default"] });
    await eventually("one name", () => states().length === 1);
    discovery.setSecrets({ ...first, svid: svid() });
    await quiet(many);
    many.say({ resourceNamesSubscribe: ["ALL"] });
    expect((await many.take()).name).toBe("ALL");
  });

  it.each([[[]], [["*"]]])("means everything by %j, what is yet to come too, until it unsubscribes", async (names) => {
    discovery.setSecrets({ ...first, svid: undefined, serverFirst: new Map() });
    const all = stream(names);
    const got: string[] = [];
    for (let count = 0; count < 4; count++) got.push((await all.take()).name);
    expect(got.sort()).toEqual(["ALL", "ROOTCA", "spiffe://cell.test", "spiffe://partner.test"]);
    discovery.setSecrets(first);
    for (let count = 0; count < 3; count++) got.push((await all.take()).name);
    expect(got.slice(4).sort()).toEqual(["default", id, "tcp/5432"].sort());
  });

  it("that comes back gets what changed meanwhile, and not what it has", async () => {
    discovery.setSecrets(first);
    const before = stream(["default", "ALL"]);
    const has = new Map<string, string>();
    for (let count = 0; count < 2; count++) {
      const { name, version } = await before.take();
      has.set(name, version);
    }
    before.end();
    await eventually("its end", () => states().length === 0);
    discovery.setSecrets({ ...first, svid: svid() });
    has.set("default", "of-before");
    const back = stream(["default", "ALL"], { initialResourceVersions: has });
    const renewed = await back.take();
    expect(renewed.name).toBe("default");
    // What it brought is not what is current, so it may have rejected that: new bytes, and all of it.
    expect(content(renewed.secret)).toContain("# i1.1\n");
    expect((await back.take()).name).toBe("ALL");
  });

  it("that comes back with everything as it is gets nothing, and counts as having taken it", async () => {
    discovery.setSecrets(first);
    const before = stream(["ALL"]);
    const { version } = await before.take();
    before.end();
    await eventually("its end", () => states().length === 0);
    const back = stream(["ALL"], { initialResourceVersions: new Map([["ALL", version]]) });
    await eventually("its record", () => states().length === 1);
    expect(states()).toEqual([["ALL", true]]);
    await quiet(back);
    discovery.setSecrets(rotated);
    expect((await back.take()).name).toBe("ALL");
  });

  it("P-3: never gets a removal: trust that is gone is replaced by an anchor that admits nobody", async () => {
    discovery.setSecrets(first);
    const foreign = stream(["spiffe://partner.test"]);
    await foreign.take();
    discovery.setSecrets({ ...first, trustBundles: [ca.bundle()] });
    const gone = await foreign.take();
    expect(content(gone.secret)).toContain("nobody.invalid");
    expect(content(gone.secret)).toContain("urn:cellwall:nobody");
  });

  it("after a rejection has taken nothing until everything was sent again in new bytes and taken", async () => {
    discovery.setSecrets(first);
    const [leaf, all] = [stream(["default"]), stream(["ALL"])];
    await Promise.all([leaf.take(), all.take()]);
    await eventually("both acknowledged", () => states().every(([, taken]) => taken));
    discovery.setSecrets({ ...first, svid: svid() });
    await leaf.reject("KEY_VALUES_MISMATCH");
    await eventually("the rejection", () => discovery.status()[0]?.nacked === "KEY_VALUES_MISMATCH");
    expect(states().map(([, taken]) => taken)).toEqual([false, false]);
    discovery.setSecrets(rotated);
    await all.reject("KEY_VALUES_MISMATCH");
    await leaf.take();
    const replayed = await all.take();
    expect(content(replayed.secret)).toContain("# i1.");
    await leaf.take();
    await eventually("a clean state", () => states().every(([, taken]) => taken));
    await quiet(leaf, all);
  });

  it("is not answered for another resource type (S-18)", async () => {
    discovery.setSecrets(first);
    const other = stream(["ALL"], { typeUrl: "type.googleapis.com/envoy.config.cluster.v3.Cluster" });
    await quiet(other);
  });
});
