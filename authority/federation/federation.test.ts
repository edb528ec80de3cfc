import { afterEach, describe, expect, it } from "vitest";
import { trustBundles } from "../../protocol/index.ts";
import { fetchTrustBundle } from "../../spiffe/bundle-endpoint/index.ts";
import { formatTrustBundle, parseTrustBundle, parseTrustDomain, systemId } from "../../spiffe/index.ts";
import { createTestCa } from "../../spiffe/testing/index.ts";
import { freePort } from "../testing/free-port.ts";
import { type Harness, openHarness, until } from "../testing/harness.ts";

const partnerDomain = parseTrustDomain("partner.example");
const open: Harness[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((harness) => harness.close()));
});

const document = (kind: string, name: string, spec: object, metadata: object = {}) =>
  JSON.stringify({ apiVersion: "cellwall.dev/v1", kind, metadata: { name, ...metadata }, spec });
const host = (name: string) => document("Node", name, { attest: [{ joinToken: {} }] });
const workload = (name: string, node: string) =>
  document("Workload", name, { runsOn: { node } }, { namespace: "shop", labels: { app: name } });
const policy = (name: string, from: object) =>
  document(
    "AccessPolicy",
    name,
    { protects: { workload: name }, allow: [{ name: "r", from: [from], requests: ["GET /"] }] },
    { namespace: "shop" },
  );

async function start(trustDomain: string): Promise<Harness> {
  const harness = await openHarness({ federation: { leastPollSeconds: 1 } }, trustDomain);
  open.push(harness);
  return harness;
}

async function publish(harness: Harness, ...texts: readonly string[]): Promise<void> {
  const answer = await harness.authority.publish([{ path: "a.yaml", text: texts.join("\n---\n") }], "test");
  expect(answer.diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
}
const mesh = (trustDomain: string, spec: object = {}) =>
  document("Mesh", "mesh", { trustDomain, defaultMode: "enforce", ...spec });

/** The partner's authority, with its bundle endpoint; returns where that is. */
async function partnerWithEndpoint(): Promise<{ partner: Harness; url: string }> {
  const partner = await start("partner.example");
  const port = await freePort();
  const bundleEndpoint = { listen: `127.0.0.1:${port}`, profile: "https_spiffe" };
  await publish(partner, mesh("partner.example", { bundleEndpoint }));
  return { partner, url: `https://127.0.0.1:${port}/` };
}

/** A mesh that federates with the partner; `orders` on host-1 names it, `db` on host-2 does not. */
const shop = (federation: readonly object[], from: object = { trustDomain: "partner.example" }) => [
  mesh("shop.example", federation.length === 0 ? {} : { federation }),
  host("host-1"),
  host("host-2"),
  workload("orders", "host-1"),
  workload("db", "host-2"),
  ...(federation.length === 0 ? [] : [policy("orders", from)]),
  policy("db", { workload: "orders" }),
];
const entry = (partner: Harness, url: string) => ({
  trustDomain: "partner.example",
  endpoint: { url, profile: "https_spiffe", spiffeId: "spiffe://partner.example/cellwall/authority" },
  bundle: { inline: formatTrustBundle(partner.ca.trustBundle()) },
});
const bundlesOf = (answer: { body: unknown }) => trustBundles.parse(answer.body).bundles;

describe("two authorities", () => {
  it("F-1: federate: a foreign bundle reaches the nodes whose workloads' lines name it, and no other", async () => {
    const { partner, url } = await partnerWithEndpoint();
    const here = await start("shop.example");
    await publish(here, ...shop([entry(partner, url)]));
    await until("the endpoint was asked", () => here.authority.status().federation?.[0]?.fetchedAt !== undefined);
    expect(here.authority.status().federation).toMatchObject([
      { trustDomain: "partner.example", profile: "https_spiffe", url, keys: 2, refreshHintSeconds: 300 },
    ]);
    const [one, two] = [await here.enrol("host-1"), await here.enrol("host-2")];
    const first = bundlesOf(await here.call("get", "/v1/trust-bundles", one));
    expect(Object.keys(first).sort()).toEqual(["partner.example", "shop.example"]);
    expect(parseTrustBundle(partnerDomain, first["partner.example"] ?? "").x509Authorities).toHaveLength(1);
    expect(Object.keys(bundlesOf(await here.call("get", "/v1/trust-bundles", two)))).toEqual(["shop.example"]);
  });

  it("F-8: end it: what is no longer federated is forgotten, and agents that wait are told at once", async () => {
    const { partner, url } = await partnerWithEndpoint();
    const here = await start("shop.example");
    await publish(here, ...shop([entry(partner, url)]));
    const agent = await here.enrol("host-1");
    const now = await here.call("get", "/v1/trust-bundles", agent);
    expect(Object.keys(bundlesOf(now))).toContain("partner.example");
    const waiting = here
      .call("get", "/v1/trust-bundles", agent)
      .set({ "If-None-Match": String(now.headers.etag), Prefer: "wait=20" })
      .then((answer) => answer);
    await publish(here, ...shop([]));
    expect(Object.keys(bundlesOf(await waiting))).toEqual(["shop.example"]);
    expect(here.authority.status().federation).toBeUndefined();
    // Federated again it begins with the mesh's bundle: nothing was kept.
    const other = createTestCa({ trustDomain: "partner.example" }).bundle();
    const only = { trustDomain: "partner.example", bundle: { inline: formatTrustBundle({ ...other, sequence: 0n }) } };
    await publish(here, ...shop([only]));
    expect(here.authority.status().federation).toMatchObject([{ keys: 1, sequence: "0" }]);
  });

  it("keep what they fetched across a restart, without the endpoint", async () => {
    const { partner, url } = await partnerWithEndpoint();
    const here = await start("shop.example");
    await publish(here, ...shop([entry(partner, url)]));
    await until("the endpoint was asked", () => here.authority.status().federation?.[0]?.fetchedAt !== undefined);
    const before = here.authority.status().federation?.[0];
    await partner.close();
    open.splice(open.indexOf(partner), 1);
    open.splice(open.indexOf(here), 1);
    const again = await here.restart();
    open.push(again);
    const after = again.authority.status().federation?.[0];
    expect([after?.keys, after?.sequence, after?.fetchedAt]).toEqual([
      before?.keys,
      before?.sequence,
      before?.fetchedAt,
    ]);
    await until(
      "it is said that nobody answers",
      () => again.authority.status().federation?.[0]?.problem !== undefined,
    );
    expect(again.authority.status().federation?.[0]?.problem).toContain("no answer from");
    const status = await again.admin("get", "/v1/federation");
    expect(status.body).toMatchObject({ trustDomain: "shop.example", federation: [{ problem: expect.any(String) }] });
    expect((await again.admin("post", "/v1/federation/refresh").send({ trustDomain: "x.example" })).body).toMatchObject(
      {
        error: { code: "ERR_AUTHORITY_NOT_FEDERATED" },
      },
    );
    expect((await again.admin("post", "/v1/federation/refresh").send({})).status).toBe(200);
  });
});

describe("the own bundle endpoint", () => {
  it("F-4, F-5: serves the current bundle with the authority's X.509-SVID, and follows the mesh to another address", async () => {
    const { partner, url } = await partnerWithEndpoint();
    const target = {
      profile: "https_spiffe",
      url,
      endpointId: systemId(partnerDomain, "authority"),
      bundle: partner.ca.trustBundle(),
    } as const;
    const options = { trustDomain: partnerDomain, at: new Date(), signal: new AbortController().signal };
    const fetched = await fetchTrustBundle(target, options);
    expect(formatTrustBundle(fetched)).toBe(formatTrustBundle(partner.ca.trustBundle()));
    const port = await freePort();
    const moved = { listen: `127.0.0.1:${port}`, profile: "https_spiffe" };
    await publish(partner, mesh("partner.example", { bundleEndpoint: moved }));
    await expect(fetchTrustBundle(target, options)).rejects.toMatchObject({
      code: "ERR_SPIFFE_BUNDLE_ENDPOINT_UNREACHABLE",
    });
    await fetchTrustBundle({ ...target, url: `https://127.0.0.1:${port}/` }, options);
    await publish(partner, mesh("partner.example"));
    expect(partner.authority.status().outward).toBeUndefined();
  });

  it("says in the status that it cannot listen, and the authority goes on", async () => {
    const harness = await start("shop.example");
    const listen = new URL(harness.url).host;
    await publish(harness, mesh("shop.example", { bundleEndpoint: { listen, profile: "https_spiffe" } }));
    expect(harness.authority.status().outward).toEqual([
      { name: "bundleEndpoint", listen, problem: expect.stringContaining("something else listens there") },
    ]);
  });
});
