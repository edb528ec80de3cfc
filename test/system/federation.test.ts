import { randomInt } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type LocalMesh, startLocalMesh } from "../../cli/local-mesh/index.ts";
import { locateEnvoy } from "../../envoy/index.ts";
import { formatTrustBundle } from "../../spiffe/index.ts";
import { tlsMaterial, X509Source } from "../../spiffe/workload-api/index.ts";
import { http1App, type TestApp } from "../support/apps.ts";
import { type Answer, http1 } from "../support/clients.ts";
import { freePorts } from "../support/free-ports.ts";
import { until as eventually } from "../support/until.ts";

const document = (kind: string, name: string, spec: object, namespace?: string): string =>
  JSON.stringify({
    apiVersion: "cellwall.dev/v1",
    kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace, labels: { app: name } }) },
    spec,
  });
const mesh = (trustDomain: string, spec: object): string =>
  document("Mesh", "mesh", { trustDomain, defaultMode: "enforce", ...spec });

const WEB = "spiffe://buyer.example/shop/web";
const BILLING = "spiffe://seller.example/shop/billing";
const PORT = 8443;

/** What one side says of the other: its trust domain, its bundle endpoint, and its bundle to begin with. */
const federation = (trustDomain: string, port: number, bundle: string) => ({
  federation: [
    {
      trustDomain,
      endpoint: {
        url: `https://127.0.0.1:${port}/`,
        profile: "https_spiffe",
        spiffeId: `spiffe://${trustDomain}/cellwall/authority`,
      },
      bundle: { inline: bundle },
    },
  ],
});

const until = (what: string, holds: () => boolean | Promise<boolean>): Promise<boolean> =>
  eventually(holds, (held) => held, { what, deadlineMs: 20_000 });

describe("two trust domains, each with an authority, an agent and a sidecar", () => {
  let folder: string;
  let buyer: LocalMesh;
  let seller: LocalMesh;
  let app: TestApp;
  let ports: readonly number[];
  let toBilling: string;

  const endpoint = (port: number | undefined) => ({
    bundleEndpoint: { listen: `127.0.0.1:${port}`, profile: "https_spiffe" },
  });
  const billing = document(
    "Workload",
    "billing",
    { sidecar: { address: "billing", listens: [{ port: PORT, app: "unix:/x/app.sock", protocol: "http" }] } },
    "shop",
  );
  const ledger = document(
    "Workload",
    "ledger",
    { sidecar: { address: "ledger", listens: [{ port: PORT, app: "unix:/x/l.sock", protocol: "http" }] } },
    "shop",
  );
  const policy = document(
    "AccessPolicy",
    "billing",
    {
      protects: { workload: "billing" },
      allow: [{ name: "buyers-read", from: [{ spiffe: WEB }], requests: ["GET /invoices/{id:int}"] }],
    },
    "shop",
  );
  const sellerFiles = (federated: object, ...more: readonly string[]) =>
    [mesh("seller.example", { ...endpoint(ports[1]), ...federated }), billing, ledger, ...more].join("\n---\n");
  const web = (address: string) =>
    document(
      "Workload",
      "web",
      {
        sidecar: {
          address: "web",
          foreignCalls: [{ spiffe: BILLING, address, port: PORT, local: `unix:${toBilling}`, protocol: "http" }],
        },
      },
      "shop",
    );

  async function start(name: string, text: string, addresses?: ReadonlyMap<string, string>): Promise<LocalMesh> {
    const own = join(folder, name);
    mkdirSync(own);
    const options = { folder: own, envoy: await locateEnvoy({}), ...(addresses === undefined ? {} : { addresses }) };
    return startLocalMesh({ files: [{ path: "mesh.yaml", text }], ...options });
  }

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "cw-"));
    toBilling = join(folder, "b.sock");
    ports = await freePorts(2);
    const [buyerPort = 0, sellerPort = 0] = ports;
    const federated = (port: number, of: LocalMesh): object =>
      federation(of.trustDomain, port, formatTrustBundle(of.mesh.ca.trustBundle()));
    // Each needs the other's bundle to begin with: the buyer starts without one and gets it once the seller runs.
    const address = `127.${randomInt(16, 250)}.${randomInt(1, 250)}`;
    const unknown = { federation: [{ trustDomain: "seller.example" }] };
    const buyerFiles = (federation: object): string =>
      [mesh("buyer.example", { ...endpoint(buyerPort), ...federation }), web(`${address}.1`)].join("\n---\n");
    buyer = await start("b", buyerFiles(unknown));
    const addresses = new Map([
      ["shop/billing", `${address}.1`],
      ["shop/ledger", `${address}.2`],
    ]);
    seller = await start("s", sellerFiles(federated(buyerPort, buyer), policy), addresses);
    app = await http1App(seller.appSocket("billing", PORT));
    await buyer.edit("mesh.yaml", () => buyerFiles(federated(sellerPort, seller)));
    for (const side of [buyer, seller]) {
      await until("both federate", () => side.mesh.authority.status().federation?.[0]?.fetchedAt !== undefined);
    }
    await Promise.all([buyer.startSidecars(["web"]), seller.startSidecars(["billing", "ledger"])]);
  });
  afterAll(async () => {
    await Promise.all([buyer?.stop(), seller?.stop(), app?.close()]);
    rmSync(folder, { recursive: true, force: true });
  });

  const ask = (path: string): Promise<Answer> => http1({ socket: toBilling, path });

  /** Whether the callee's sidecar takes a new connection of the caller's. */
  async function handshake(): Promise<"taken" | "refused"> {
    const source = await X509Source.open({ address: `unix://${buyer.sockets("web").workload}` });
    const { cert, key } = tlsMaterial(source);
    source.close();
    return new Promise((resolve) => {
      const host = seller.address("billing");
      const socket = connect({ host, port: PORT, cert, key, ALPNProtocols: ["h2"], rejectUnauthorized: false });
      const end = (outcome: "taken" | "refused"): void => {
        socket.destroy();
        resolve(outcome);
      };
      // In TLS 1.3 a refusal comes after the client has finished, so it is the first bytes that tell.
      socket.once("secureConnect", () => socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"));
      socket.once("data", () => end("taken"));
      socket.once("error", () => end("refused"));
      socket.once("close", () => end("refused"));
    });
  }

  it("let a call through that a rule names by its foreign identity, and no other", async () => {
    await until("the call comes through", async () => (await ask("/invoices/7")).status === 200);
    expect(app.requests.at(-1)?.headers["x-cellwall-caller"]).toBe(WEB);
    const mark = seller.records.mark();
    expect((await ask("/admin")).status).toBe(403);
    const denied = await seller.records.waitFor(mark, (record) => record.kind === "decision", 5_000);
    expect(denied).toMatchObject({ verdict: "deny", reason: "no-rule-matched", caller: WEB });
  });

  it("F-8: the foreign bundle is with the sidecar whose lines name it, and with no other", async () => {
    const holders = await Promise.all(
      ["billing", "ledger"].map(async (name) => {
        const { body } = await http1({ socket: seller.sockets(name).admin, path: "/certs" });
        return body.includes("spiffe://buyer.example");
      }),
    );
    expect(holders).toEqual([true, false]);
  });

  it("F-8: refuse the call once the other is no longer federated, on open connections and on new ones", async () => {
    expect((await ask("/invoices/7")).status).toBe(200);
    expect(await handshake()).toBe("taken");
    await seller.edit("mesh.yaml", () => sellerFiles({}));
    await until("the open connection is denied", async () => (await ask("/invoices/7")).status !== 200);
    await until("the anchors are gone from the sidecar", async () => {
      const { body } = await http1({ socket: seller.sockets("billing").admin, path: "/certs" });
      return !body.includes("spiffe://buyer.example");
    });
    expect(await handshake()).toBe("refused");
    const [arrived, mark] = [app.requests.length, seller.records.mark()];
    expect((await ask("/invoices/7")).status).toBe(403);
    const denied = await seller.records.waitFor(mark, (record) => record.kind === "decision", 5_000);
    expect(denied).toMatchObject({ verdict: "deny", reason: "untrusted-domain", caller: WEB });
    expect(app.requests.length).toBe(arrived);
    expect(seller.mesh.authority.status().federation).toBeUndefined();
  });
});
