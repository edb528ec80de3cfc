import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parseSpiffeId, parseTrustDomain, type SpiffeError } from "../index.ts";
import { createJwtAuthority, createTestCa } from "../testing/index.ts";
import { JwtSource, WorkloadApiClient, X509Source, type X509SourceOptions } from "./index.ts";
import { eventually, type ServedWorkloadApi, SettableProvider, serveWorkloadApi } from "./testing/serve.ts";

const WEB = "spiffe://shop.example/shop/web";
const ca = createTestCa({ trustDomain: "shop.example" });
const partner = createTestCa({ trustDomain: "partner.example" });
const jwt = createJwtAuthority({ trustDomain: "shop.example" });
const shop = parseTrustDomain("shop.example");
const own = { ...ca.bundle(), jwtAuthorities: jwt.bundle().jwtAuthorities };
const trust = {
  trustDomain: ca.trustDomain,
  bundles: new Map([
    [own.trustDomain, own],
    [partner.trustDomain, partner.bundle()],
  ]),
};
const web = () => ca.issue({ uris: [WEB] }).svid();
const present = (svid = web()) => provider.set({ kind: "present", svid, trust });

let provider: SettableProvider;
let served: ServedWorkloadApi;
let problems: SpiffeError[];
const closers: { close(): void }[] = [];
const options = (): X509SourceOptions => ({
  address: served.address,
  backoffMs: () => 20,
  onProblem: (error) => problems.push(error),
});
const kept = <T extends { close(): void }>(source: T): T => {
  closers.push(source);
  return source;
};

beforeEach(async () => {
  problems = [];
  provider = new SettableProvider();
  provider.issueJwtSvid = async (id, audience) => ({ ok: true, token: jwt.sign({ sub: `${id}`, aud: audience }) });
  served = await serveWorkloadApi(provider);
});
afterEach(async () => {
  for (const source of closers.splice(0)) source.close();
  await served.stop();
});
const codeOf = (read: () => unknown): string => {
  try {
    read();
    return "none";
  } catch (error) {
    return (error as SpiffeError).code;
  }
};

describe("X509Source", () => {
  it("opens with the default identity and every bundle", async () => {
    const svid = web();
    present(svid);
    const source = kept(await X509Source.open(options()));
    expect([`${source.svid.id}`, source.svid.serial, source.svids.length]).toEqual([WEB, svid.serial, 1]);
    expect([...source.bundles.keys()].sort()).toEqual(["partner.example", "shop.example"]);
    expect(source.bundleOf(shop)?.x509Authorities[0]?.raw.equals(ca.root.raw)).toBe(true);
    expect(source.bundleOf(parseTrustDomain("other.example"))).toBeUndefined();
  });

  it("finds the Workload API by SPIFFE_ENDPOINT_SOCKET", async () => {
    present();
    process.env.SPIFFE_ENDPOINT_SOCKET = served.address;
    try {
      expect(`${kept(await X509Source.open()).svid.id}`).toBe(WEB);
    } finally {
      delete process.env.SPIFFE_ENDPOINT_SOCKET;
    }
  });

  it("takes over each rotation, and tells its listeners", async () => {
    present();
    const source = kept(await X509Source.open(options()));
    const seen: string[] = [];
    const stop = source.subscribe(() => seen.push(source.svid.serial));
    const next = web();
    present(next);
    await eventually("the rotation", () => seen.length === 1);
    expect(seen).toEqual([next.serial]);
    stop();
    const last = web();
    present(last);
    await eventually("the next", () => source.svid.serial === last.serial);
    expect(seen).toHaveLength(1);
  });

  it("waits for an identity that is yet to come, and tells meanwhile why there is none", async () => {
    const opening = X509Source.open(options());
    await eventually("UNAVAILABLE", () => problems.some((error) => error.code === "ERR_SPIFFE_UNAVAILABLE"));
    provider.set({ kind: "none" });
    await eventually("PERMISSION_DENIED", () => problems.some((error) => error.code === "ERR_SPIFFE_NO_IDENTITY"));
    present();
    expect(`${kept(await opening).svid.id}`).toBe(WEB);
  });

  it("gives up waiting when the signal says so, with the reason", async () => {
    provider.set({ kind: "none" });
    const signal = AbortSignal.timeout(300);
    await expect(X509Source.open({ ...options(), signal })).rejects.toMatchObject({ code: "ERR_SPIFFE_NO_IDENTITY" });
    await eventually("no stream left", () => provider.listeners === 0);
  });

  it("gives up waiting for a Workload API that is not there, with the reason", async () => {
    const opening = X509Source.open({
      ...options(),
      address: "unix:///nowhere.sock",
      signal: AbortSignal.timeout(300),
    });
    await expect(opening).rejects.toThrow("the Workload API does not answer");
  });

  it("W-c: has no identity any more once it was taken back, and has one again when it is given", async () => {
    present();
    const source = kept(await X509Source.open(options()));
    provider.set({ kind: "none" });
    await eventually("the withdrawal", () => codeOf(() => source.svid) === "ERR_SPIFFE_NO_IDENTITY");
    expect(codeOf(() => source.bundleOf(shop))).toBe("ERR_SPIFFE_NO_IDENTITY");
    present();
    await eventually("an identity", () => codeOf(() => source.svid) === "none");
  });

  it("keeps its identity while the Workload API is away, and finds it again", async () => {
    const svid = web();
    present(svid);
    const source = kept(await X509Source.open(options()));
    await served.stop();
    await eventually("a problem", () => problems.length > 0);
    expect(source.svid.serial).toBe(svid.serial);
    served = await serveWorkloadApi(provider, served.path);
    const next = web();
    present(next);
    await eventually("the next certificate", () => source.svid.serial === next.serial);
  });

  it("refuses an identity that has expired meanwhile", async () => {
    let now = new Date();
    present();
    const source = kept(await X509Source.open({ ...options(), now: () => now }));
    now = new Date(source.svid.notAfter);
    expect(codeOf(() => source.svid)).toBe("ERR_SPIFFE_NO_IDENTITY");
  });

  it("picks one of several identities as told", async () => {
    present();
    const source = kept(
      await X509Source.open({ ...options(), pick: (svids) => svids.find((svid) => svid.hint === "x") }),
    );
    expect(codeOf(() => source.svid)).toBe("ERR_SPIFFE_NO_IDENTITY");
  });

  it("has nothing to give after it was closed", async () => {
    present();
    const source = await X509Source.open(options());
    source.close();
    expect(codeOf(() => source.svid)).toBe("ERR_SPIFFE_CLOSED");
    await eventually("no stream left", () => provider.listeners === 0);
  });

  it("refuses an address that is none", async () => {
    await expect(X509Source.open({ address: "http://x" })).rejects.toMatchObject({ code: "ERR_SPIFFE_ENDPOINT" });
  });
});

describe("JwtSource", () => {
  it("J-8: fetches tokens that it verifies for others", async () => {
    present();
    const source = kept(await JwtSource.open(options()));
    const svid = await source.fetch({ audience: ["orders"] });
    expect([`${svid.id}`, svid.audience]).toEqual([WEB, ["orders"]]);
    const verified = await source.verify(svid.token, { audience: "orders" });
    expect(verified.ok && `${verified.svid.id}`).toBe(WEB);
    expect(await source.verify(svid.token, { audience: "billing" })).toMatchObject({ code: "ERR_SPIFFE_JWT_AUDIENCE" });
  });

  it("trusts a rotated key, and no longer the one that left", async () => {
    present();
    const source = kept(await JwtSource.open(options()));
    const old = await source.fetch({ audience: ["orders"] });
    const next = createJwtAuthority({ trustDomain: "shop.example", keyId: "key-2" });
    const bundle = { ...own, jwtAuthorities: next.bundle().jwtAuthorities };
    provider.set({ kind: "present", svid: web(), trust: { ...trust, bundles: new Map([[own.trustDomain, bundle]]) } });
    await eventually("the key", () => source.bundleOf(shop)?.jwtAuthorities.has("key-2") === true);
    expect(await source.verify(old.token, { audience: "orders" })).toMatchObject({
      code: "ERR_SPIFFE_JWT_UNKNOWN_AUTHORITY",
    });
    const fresh = next.sign({ sub: WEB, aud: "orders" });
    expect((await source.verify(fresh, { audience: "orders" })).ok).toBe(true);
  });

  it("E-5: tells a refused call, a missing identity and an absent service apart", async () => {
    present();
    const source = kept(await JwtSource.open(options()));
    await expect(source.fetch({ audience: [] })).rejects.toMatchObject({ code: "ERR_SPIFFE_WORKLOAD_API" });
    const id = parseSpiffeId("spiffe://shop.example/other");
    await expect(source.fetch({ audience: ["a"], id })).rejects.toMatchObject({ code: "ERR_SPIFFE_NO_IDENTITY" });
    provider.issueJwtSvid = async () => ({ ok: false, kind: "unavailable" });
    await expect(source.fetch({ audience: ["a"] })).rejects.toMatchObject({ code: "ERR_SPIFFE_UNAVAILABLE" });
  });

  it("refuses a token that names another identity than the answer", async () => {
    present();
    const source = kept(await JwtSource.open(options()));
    provider.issueJwtSvid = async () => ({ ok: true, token: jwt.sign({ sub: "spiffe://shop.example/db", aud: "a" }) });
    await expect(source.fetch({ audience: ["a"] })).rejects.toMatchObject({ code: "ERR_SPIFFE_ANSWER" });
  });
});

describe("WorkloadApiClient", () => {
  it("follows X.509 bundles, and has tokens validated", async () => {
    present();
    const client = kept(new WorkloadApiClient(options()));
    let names: string[] = [];
    const never = (error: SpiffeError) => problems.push(error);
    client.watchX509Bundles({ updated: (bundles) => (names = [...bundles.keys()]), withdrawn: never, ended: never });
    await eventually("the bundles", () => names.length === 2);
    const token = jwt.sign({ sub: WEB, aud: "orders", team: "a" });
    const { id, claims } = await client.validateJwtSvid(token, { audience: "orders" });
    expect([`${id}`, claims.get("aud"), claims.get("team")]).toEqual([WEB, ["orders"], "a"]);
    await expect(client.validateJwtSvid(token, { audience: "x" })).rejects.toMatchObject({
      code: "ERR_SPIFFE_WORKLOAD_API",
    });
  });

  it("takes no call after it was closed", async () => {
    const client = new WorkloadApiClient(options());
    client.close();
    await expect(client.fetchJwtSvids({ audience: ["a"] })).rejects.toMatchObject({ code: "ERR_SPIFFE_CLOSED" });
  });
});
