import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { formatTrustBundle } from "../index.ts";
import { createJwtAuthority, createTestCa } from "../testing/index.ts";
import { type ServedWorkloadApi, SettableProvider, serveWorkloadApi } from "./testing/serve.ts";

// The page's examples run as they stand, but for the port, the folder and where the package comes from.

const here = dirname(fileURLToPath(import.meta.url));
const root = dirname(dirname(here));
const page = readFileSync(join(root, "docs", "spiffe-client.md"), "utf8");
const examples = new Map(
  [...page.matchAll(/\n## ([^\n]+)\n(?:(?!\n## )[\s\S])*?```js\n([\s\S]*?)```/g)].map(([, title = "", code = ""]) => [
    title,
    code,
  ]),
);
const ca = createTestCa({ trustDomain: "shop.example" });
const partner = createTestCa({ trustDomain: "partner.example" });
const jwt = createJwtAuthority({ trustDomain: "shop.example" });
const own = { ...ca.bundle(), jwtAuthorities: jwt.bundle().jwtAuthorities };

let served: ServedWorkloadApi[];
let folder: string;
beforeEach(() => {
  served = [];
  const cache = join(root, ".cache");
  mkdirSync(cache, { recursive: true });
  folder = mkdtempSync(join(cache, "examples-"));
  writeFileSync(join(folder, "partner.json"), formatTrustBundle(partner.bundle()));
});
afterEach(async () => {
  vi.restoreAllMocks();
  delete process.env.SPIFFE_ENDPOINT_SOCKET;
  for (const api of served) await api.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The Workload API of one workload, named in the environment. */
async function as(name: string): Promise<void> {
  const provider = new SettableProvider();
  provider.issueJwtSvid = async (id, audience) => ({ ok: true, token: jwt.sign({ sub: `${id}`, aud: audience }) });
  const svid = ca.issue({ uris: [`spiffe://shop.example/shop/${name}`] }).svid();
  const trust = { trustDomain: ca.trustDomain, bundles: new Map([[ca.trustDomain, own]]) };
  provider.set({ kind: "present", svid, trust });
  const api = await serveWorkloadApi(provider);
  served.push(api);
  process.env.SPIFFE_ENDPOINT_SOCKET = api.address;
}

/** Runs an example; gives what it printed and what it exports. */
async function run(title: string, port = 8443): Promise<{ printed: string[]; stop?: () => void }> {
  const code = examples.get(title) ?? "throw new Error('no such example')";
  const file = join(folder, `${title.replaceAll(/\W/g, "-")}.mjs`);
  const text = code
    .replaceAll('"cellwall/spiffe/workload-api"', JSON.stringify(join(here, "index.ts")))
    .replaceAll('"cellwall/spiffe"', JSON.stringify(join(root, "spiffe", "index.ts")))
    .replaceAll("8443", `${port}`)
    .replaceAll('"partner.json"', JSON.stringify(join(folder, "partner.json")));
  writeFileSync(file, text);
  const log = vi.spyOn(console, "log").mockImplementation(() => undefined);
  const module: { readonly stop?: () => void } = await import(/* @vite-ignore */ file);
  const printed = log.mock.calls.map(([line]) => String(line));
  log.mockRestore();
  return { printed, ...module };
}
function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve) => {
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
const promised = (title: string) => [...(examples.get(title) ?? "").matchAll(/\/\/ → (.*)/g)].map(([, text]) => text);

describe("docs/spiffe-client.md", () => {
  it("has these examples", () => {
    expect([...examples.keys()]).toEqual([
      "The identity",
      "An HTTPS server",
      "An HTTPS client",
      "gRPC",
      "JWT-SVIDs",
      "Trust bundles from elsewhere",
    ]);
  });

  it.each(["The identity", "gRPC", "JWT-SVIDs", "Trust bundles from elsewhere"])(
    "%s prints what it says",
    async (title) => {
      await as("web");
      const { printed } = await run(title);
      expect(printed.length).toBeGreaterThan(0);
      expect(printed).toEqual(promised(title));
    },
  );

  it("An HTTPS client prints what it says, of the server's example", async () => {
    const port = await freePort();
    await as("orders");
    const { stop } = await run("An HTTPS server", port);
    await as("web");
    const { printed } = await run("An HTTPS client", port);
    expect(printed).toEqual(promised("An HTTPS client"));
    stop?.();
  });
});
