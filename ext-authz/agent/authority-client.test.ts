import { createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createTestCa } from "../../spiffe/testing/index.ts";
import { type FakeAuthority, type Routes, startFakeAuthority, testHierarchy } from "../testing/fake-authority.ts";
import { AuthorityClient, type ClientCredentials } from "./authority-client.ts";
import { isTransient } from "./authority-error.ts";

const mesh = testHierarchy("shop.example");
const agent = mesh.intermediate.issue({ uris: ["spiffe://shop.example/cellwall/agent/host-7"] });
const { signal } = new AbortController();
const now = (): Date => new Date();
const open: { close(): unknown }[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

async function connected(
  routes: Routes,
  options: {
    readonly server?: Parameters<typeof startFakeAuthority>[0]["chain"];
    readonly key?: ReturnType<typeof testHierarchy>["authority"]["privateKey"];
    readonly credentials?: ClientCredentials;
  } = {},
): Promise<{ readonly client: AuthorityClient; readonly server: FakeAuthority }> {
  const server = await startFakeAuthority({
    chain: options.server ?? mesh.shown,
    privateKey: options.key ?? mesh.authority.privateKey,
    routes,
  });
  const credentials = options.credentials ?? { trust: mesh.root.bundle(), svid: agent.svid() };
  const client = new AuthorityClient({ url: server.url, credentials, now });
  open.push(client, server);
  return { client, server };
}

const bundles = { trustDomain: "shop.example", bundles: {} };

describe("AuthorityClient", () => {
  it("shows the agent's certificate and asks to wait until the document changes", async () => {
    const { client, server } = await connected({
      "GET /v1/trust-bundles": () => ({ headers: { etag: '"1"' }, body: bundles }),
    });
    const fetched = await client.trustBundles({ etag: '"0"', waitSeconds: 25, signal });
    expect(fetched).toEqual({ kind: "fetched", value: bundles, etag: '"1"' });
    expect(server.requests[0]).toMatchObject({
      peer: "spiffe://shop.example/cellwall/agent/host-7",
      headers: { "if-none-match": '"0"', prefer: "wait=25" },
    });
  });

  it("says that a document is unchanged", async () => {
    const { client } = await connected({ "GET /v1/trust-bundles": () => ({ status: 304 }) });
    expect(await client.trustBundles({ etag: '"1"', waitSeconds: 0, signal })).toEqual({ kind: "unchanged" });
  });

  it("repeats the authority's own words when it refuses", async () => {
    const body = { error: { code: "ERR_CA_RUNS_ON", message: "`db` may not run on `host-7`", hint: "see runsOn" } };
    const { client } = await connected({ "POST /v1/svids": () => ({ status: 403, body }) });
    const error = await rejection(client.svids({ requests: [] }, signal));
    expect(error).toMatchObject({
      code: "ERR_AGENT_AUTHORITY_REFUSED",
      httpStatus: 403,
      apiCode: "ERR_CA_RUNS_ON",
      hint: "see runsOn",
    });
    expect(String(error)).toContain("`db` may not run on `host-7`");
    expect(isTransient(error)).toBe(false);
  });

  it.each([429, 500, 503])("counts status %i as the server's own trouble", async (status) => {
    const { client } = await connected({ "GET /v1/bundle": () => ({ status }) });
    expect(isTransient(await rejection(client.bundle({ etag: undefined, waitSeconds: 0, signal })))).toBe(true);
  });

  it("refuses an answer that is not what the protocol says", async () => {
    const { client } = await connected({ "GET /v1/bundle": () => ({ body: { payload: 1 } }) });
    const error = await rejection(client.bundle({ etag: undefined, waitSeconds: 0, signal }));
    expect(error).toMatchObject({ code: "ERR_AGENT_ANSWER" });
  });

  it("counts a server that does not answer as unreachable", async () => {
    const { client, server } = await connected({});
    await server.close();
    const error = await rejection(client.bundle({ etag: undefined, waitSeconds: 0, signal }));
    expect(error).toMatchObject({ code: "ERR_AGENT_AUTHORITY_UNREACHABLE" });
    expect(isTransient(error)).toBe(true);
  });

  it("refuses a server of another root and sends it nothing", async () => {
    const other = testHierarchy("shop.example");
    const { client, server } = await connected({}, { server: other.shown, key: other.authority.privateKey });
    const error = await rejection(client.bundle({ etag: undefined, waitSeconds: 0, signal }));
    expect(error).toMatchObject({ code: "ERR_AGENT_AUTHORITY_UNTRUSTED" });
    expect(server.requests).toEqual([]);
  });

  it.each([
    "spiffe://shop.example/shop/web",
    "spiffe://shop.example/cellwall/agent/host-7",
    "spiffe://shop.example/cellwall/policy-signer",
  ])("refuses a server that is %s, though our root vouches for it", async (identity) => {
    const leaf = mesh.intermediate.issue({ uris: [identity] });
    const { client, server } = await connected({}, { server: leaf.chain, key: leaf.privateKey });
    const error = await rejection(client.bundle({ etag: undefined, waitSeconds: 0, signal }));
    expect(error).toMatchObject({ code: "ERR_AGENT_AUTHORITY_UNTRUSTED" });
    expect(server.requests).toEqual([]);
  });

  it("takes new anchors and a new certificate for the exchanges that follow", async () => {
    const other = testHierarchy("shop.example");
    const { client, server } = await connected(
      { "POST /v1/node/status": () => ({}) },
      { server: other.shown, key: other.authority.privateKey },
    );
    const report = { epoch: 1, revision: 2, revocations: 3 };
    expect(await rejection(client.report(report, signal))).toMatchObject({ code: "ERR_AGENT_AUTHORITY_UNTRUSTED" });
    const renewed = other.intermediate.issue({ uris: ["spiffe://shop.example/cellwall/agent/host-8"] });
    client.use({ trust: other.root.bundle(), svid: renewed.svid() });
    await client.report(report, signal);
    expect(server.requests).toMatchObject([{ peer: "spiffe://shop.example/cellwall/agent/host-8", body: report }]);
  });

  it("gives up a wait when it is aborted", async () => {
    const abort = new AbortController();
    const { client, server } = await connected({ "GET /v1/bundle": () => new Promise(() => undefined) });
    const waiting = rejection(client.bundle({ etag: undefined, waitSeconds: 25, signal: abort.signal }));
    const end = performance.now() + 5_000;
    while (server.requests.length === 0 && performance.now() < end)
      await new Promise((resolve) => setImmediate(resolve));
    abort.abort();
    expect(await waiting).toMatchObject({ code: "ERR_AGENT_AUTHORITY_UNREACHABLE" });
  });

  it("fails, and does not hang, on a server that ends the connection in the middle", async () => {
    const server = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const client = new AuthorityClient({
      url: `https://127.0.0.1:${port}`,
      credentials: { trust: createTestCa({ trustDomain: "shop.example" }).bundle() },
      now,
    });
    open.push(client, server);
    expect(isTransient(await rejection(client.report({ epoch: 0, revision: 0, revocations: 0 }, signal)))).toBe(true);
  });
});

async function rejection(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}
