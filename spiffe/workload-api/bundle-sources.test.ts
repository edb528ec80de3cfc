import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { formatTrustBundle, parseSpiffeId, parseTrustDomain, type TrustBundle } from "../index.ts";
import { createTestCa } from "../testing/index.ts";
import { followBundleEndpoint, followBundleFile, joinBundles } from "./index.ts";
import { eventually } from "./testing/serve.ts";

const partner = parseTrustDomain("partner.example");
const ca = createTestCa({ trustDomain: "partner.example" });
const next = createTestCa({ trustDomain: "partner.example", subject: "Next" });
const serials = (bundle: TrustBundle | undefined) => bundle?.x509Authorities.map((one) => one.serialNumber);
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

describe("followBundleFile", () => {
  it("takes over what is written, keeps what it has where that is no bundle, and says so", async () => {
    const folder = mkdtempSync(join(tmpdir(), "cw-"));
    closers.push(() => rmSync(folder, { recursive: true, force: true }));
    const file = join(folder, "partner.json");
    const problems: unknown[] = [];
    const onProblem = (error: unknown) => problems.push(error);
    await expect(followBundleFile(file, { trustDomain: partner })).rejects.toMatchObject({ code: "ENOENT" });
    writeFileSync(file, formatTrustBundle(ca.bundle()));
    const source = await followBundleFile(file, { trustDomain: partner, everyMs: 10, onProblem });
    closers.push(() => source.close());
    expect(serials(source.bundleOf(partner))).toEqual([ca.root.serialNumber]);
    writeFileSync(file, "{");
    await eventually("a problem", () => problems.length > 0);
    expect(serials(source.bundleOf(partner))).toEqual([ca.root.serialNumber]);
    let told = 0;
    source.subscribe(() => told++);
    writeFileSync(file, formatTrustBundle(next.bundle()));
    await eventually("the next", () => serials(source.bundleOf(partner))?.[0] === next.root.serialNumber);
    expect(told).toBeGreaterThan(0);
  });
});

describe("followBundleEndpoint", () => {
  const endpointId = parseSpiffeId("spiffe://partner.example/bundles");
  async function serve(
    leafOf: () => { readonly cert: string; readonly key: string },
    text: () => string,
  ): Promise<string> {
    const server: Server = createServer(leafOf(), (_request, response) => {
      server.setSecureContext(leafOf());
      response.end(text());
    });
    closers.push(() => {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    return `https://127.0.0.1:${typeof address === "object" ? address?.port : ""}/`;
  }

  it("F-4: holds an endpoint of the trust domain itself to the newest bundle, not to the first", async () => {
    let [issuer, bundle] = [ca, ca.bundle([ca.root, next.root])];
    const leaf = () => {
      const { chainPem: cert, keyPem: key } = issuer.issue({ uris: [`${endpointId}`] });
      return { cert, key };
    };
    const url = await serve(leaf, () => formatTrustBundle(bundle));
    const target = { profile: "https_spiffe", url, endpointId, bundle: ca.bundle() } as const;
    const problems: unknown[] = [];
    const onProblem = (error: unknown) => problems.push(error);
    const source = await followBundleEndpoint(target, { trustDomain: partner, everyMs: 20, onProblem });
    closers.push(() => source.close());
    issuer = next;
    bundle = next.bundle();
    await eventually("the next bundle", () => serials(source.bundleOf(partner))?.join() === next.root.serialNumber);
    bundle = ca.bundle();
    await eventually(
      "it by a certificate of the next root",
      () => serials(source.bundleOf(partner))?.join() === ca.root.serialNumber,
    );
    await eventually("a refusal, since the newest bundle vouches for it no more", () => problems.length > 0);
  });

  it("F-3: fetches by the web's authorities with https_web", async () => {
    const web = createTestCa({ trustDomain: "web.example" });
    const { chainPem: cert, keyPem: key } = web.issue({ uris: [], dns: ["localhost"], ips: ["127.0.0.1"] });
    const url = await serve(
      () => ({ cert, key }),
      () => formatTrustBundle(ca.bundle()),
    );
    const options = { trustDomain: partner, ca: web.rootPem };
    const source = await followBundleEndpoint({ profile: "https_web", url }, options);
    expect(serials(source.bundleOf(partner))).toEqual([ca.root.serialNumber]);
    source.close();
    expect(() => source.bundleOf(partner)).toThrow(expect.objectContaining({ code: "ERR_SPIFFE_CLOSED" }));
  });
});

it("several sources count as one, the first before the others (B-6)", () => {
  const of = (bundle: TrustBundle) => {
    const bundles = new Map([[bundle.trustDomain, bundle]]);
    return {
      bundles,
      bundleOf: (name: TrustBundle["trustDomain"]) => bundles.get(name),
      subscribe: () => () => undefined,
    };
  };
  const shop = createTestCa({ trustDomain: "shop.example" });
  const joined = joinBundles(of(ca.bundle()), of(next.bundle()), of(shop.bundle()));
  expect([...joined.bundles.keys()].sort()).toEqual(["partner.example", "shop.example"]);
  expect(serials(joined.bundleOf(partner))).toEqual([ca.root.serialNumber]);
  expect(serials(joined.bundles.get(partner))).toEqual([ca.root.serialNumber]);
  expect(joined.bundleOf(parseTrustDomain("other.example"))).toBeUndefined();
});
